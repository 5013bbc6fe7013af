// wanted: a callback needs on_step, on_weights, on_validation or stop_requested
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/train/trainer.hpp"
struct Typo {
  void on_stop(const nucdet::train::StepReport&) {}
};
void wrong(
    nucdet::train::Trainer<std::tuple<nucdet::train::Task<nucdet::loss::SquaredError, nucdet::label::ProximityMap>>>& t,
    const nucdet::data::Dataset& data) {
  t.fit(
      {data}, [](const auto&) { return nucdet::train::Validation{}; }, Typo{});
}

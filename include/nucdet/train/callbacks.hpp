#pragma once
#include <stop_token>
#include <type_traits>

#include "nucdet/train/state.hpp"

namespace nucdet::train {

namespace detail {
template <class C>
concept OnStep = requires(C& c, const StepReport& report) {
  c.on_step(report);
};
template <class C>
concept OnWeights = requires(C& c, const Validation& found) {
  c.on_weights(found);
};
template <class C>
concept OnValidation = requires(C& c, const Validation& found) {
  c.on_validation(found);
};
template <class C>
concept AsksToStop = requires(C& c) {
  static_cast<bool>(c.stop_requested());
};
}  // namespace detail

/// What a training run tells, and asks: a struct with at least one of
///   on_step(const StepReport&)         after a step
///   on_weights(const Validation&)      after a validation, while the model holds the weights that were validated
///   on_validation(const Validation&)   after that, when the model has its own again: to save a checkpoint
///   bool stop_requested()              after a step: true ends the run there; the trainer holds where it is, to be
///   saved
template <class C>
concept Callback = detail::OnStep<std::remove_reference_t<C>> || detail::OnWeights<std::remove_reference_t<C>> ||
    detail::OnValidation<std::remove_reference_t<C>> || detail::AsksToStop<std::remove_reference_t<C>>;

template <class C>
inline constexpr bool is_callback = Callback<C>;

/// The callback that ends a run by a host program's stop token.
struct StopOn {
  std::stop_token token;

  bool stop_requested() const { return token.stop_requested(); }
};

}  // namespace nucdet::train

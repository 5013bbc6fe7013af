#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/train/trainer.hpp"

#include "support/catch.hpp"
#include "support/thread_ranks.hpp"

using namespace nucdet;

namespace {

struct Small : nn::Graph<nn::Node<"stem", nn::ConvUnit<6>>,
                         nn::Node<"deep", nn::Sequential<nn::MaxPool<2>, nn::ConvUnit<20>, nn::Upsample<2>>>,
                         nn::Node<"map", nn::Conv<1, 1>>> {
  using head = nn::Proximity;
};

struct Traffic {
  std::size_t gathers = 0, means = 0, gathered = 0, averaged = 0;  ///< calls; bytes and numbers of a rank's own
};

/// Counts what a rank tells the others.
class Counting final : public Ranks {
 public:
  explicit Counting(Ranks& ranks) : ranks_(ranks) {}
  Index rank() const override { return ranks_.rank(); }
  Index count() const override { return ranks_.count(); }
  void gather(const void* mine, std::size_t bytes, void* all) override {
    ++traffic.gathers, traffic.gathered += bytes;
    ranks_.gather(mine, bytes, all);
  }
  void mean(std::span<float> numbers) override {
    ++traffic.means, traffic.averaged += numbers.size();
    ranks_.mean(numbers);
  }
  Traffic traffic;

 private:
  Ranks& ranks_;
};

data::Dataset one_image(Context<Cpu>& context) {
  Image image = make_image(40, 40, 3, 0.8f);
  for (std::size_t y = 10; y < 20; ++y)
    for (std::size_t x = 12; x < 22; ++x) image(y, x, 0) = 0.3f;
  data::Dataset set;
  set.push_back(data::make_sample(context, image, {{17, 15}}, 1.0, "image", "all"));
  return set;
}

/// Of one step of a training that is not the first, to the question whether to stop that ends it.
Traffic of_step(Ranks& together, bool joint) {
  Counting ranks(together);
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = one_image(context);
  nn::Network<Small, 3, Cpu> net(context);
  train::TrainSettings settings;
  settings.iterations = 3, settings.validate_every = 3, settings.joint_statistics = joint, settings.clip_norm = 1;
  train::Trainer trainer(net, loss::WeightedSquaredError{}, label::ProximityMap{}, optim::Sgd{},
                         data::CropSampler{.crop = 16, .batch = 2, .seed = 5}, settings, train::AmongRanks{&ranks});
  struct FromStepToStep {
    Counting& ranks;
    Traffic found{};
    void on_step(const train::StepReport& report) {
      if (report.iteration == 2) found = ranks.traffic;
      if (report.iteration < 3) ranks.traffic = {};
    }
  } counter{ranks};
  trainer.fit(
      {set}, [](const nn::Model<Cpu>&) { return train::Validation{.loss = 1.0}; }, counter);
  return counter.found;
}

/// docs/scale.md: two messages a batch norm, of two floats and of two doubles a channel; one of a double a loss; one of
/// a byte, whether to stop; one mean, which is two messages of MPI's, each gradient once, arrays padded to 16 numbers.
Traffic wanted(bool joint) {
  Context<Cpu> context({.threads = 1});
  nn::Network<Small, 3, Cpu> net(context);
  std::size_t norms = 0, channels = 0;
  Traffic traffic;
  for (const nn::ParameterEntry& e : net.parameters()->entries()) {
    if (!e.statistic) traffic.averaged += static_cast<std::size_t>((e.count + 15) / 16 * 16);
    if (e.name.ends_with("running_mean")) ++norms, channels += static_cast<std::size_t>(e.count);
  }
  if (norms != 2 || channels != 26) throw Error("wanted batch norms of 6 and 20 channels");
  traffic.gathers = 2 + (joint ? 2 * norms : 0), traffic.means = 1;
  traffic.gathered = 8 + 1 + (joint ? 24 * channels : 0);
  return traffic;
}

}  // namespace

TEST_CASE("what a rank tells the others in a step is what the formula says") {
  for (const bool joint : {true, false}) {
    CAPTURE(joint);
    const Traffic formula = wanted(joint);
    for (const Index count : {1, 2, 4})
      for (const Traffic& found : nucdet_test::with_ranks(count, [&](Ranks& r) { return of_step(r, joint); })) {
        CHECK(found.gathers == formula.gathers);
        CHECK(found.means == formula.means);
        CHECK(found.gathered == formula.gathered);
        CHECK(found.averaged == formula.averaged);
      }
  }
}

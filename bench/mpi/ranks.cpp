/// Training steps of several ranks whose gradients travel during the backward pass, and of the same ranks whose
/// gradients travel after it, in turns: mpirun -n N bench_ranks [rounds] [images of a rank] [threads] [joint 0|1]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/mpi/mpi_ranks.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/train/trainer.hpp"

#include "support/machine.hpp"

using namespace nucdet;

namespace {

/// Ranks that may keep to themselves what they are told before a mean is asked for, and count what that mean takes.
class Timed final : public Ranks {
 public:
  Timed(Ranks& ranks, bool early) : ranks_(ranks), early_(early) {}
  Index rank() const override { return ranks_.rank(); }
  Index count() const override { return ranks_.count(); }
  void gather(const void* mine, std::size_t bytes, void* all) override { ranks_.gather(mine, bytes, all); }
  void mean(std::span<float> numbers) override {
    const auto start = std::chrono::steady_clock::now();
    ranks_.mean(numbers);
    seconds_ = nucdet_bench::seconds_since(start);
  }
  void begin_mean(std::span<float> numbers, std::size_t final_from) override {
    if (early_) ranks_.begin_mean(numbers, final_from);
  }
  double seconds() const { return seconds_; }  ///< of the last mean

 private:
  Ranks& ranks_;
  bool early_;
  double seconds_ = 0;
};

data::Dataset noise(Context<Cpu>& context) {
  data::Dataset set;
  for (std::size_t k = 0; k < 4; ++k) {
    RandomStream random{9, k};
    Image image = make_image(256, 256, 3, 0);
    for (std::size_t y = 0; y < 256; ++y)
      for (std::size_t x = 0; x < 256; ++x)
        for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = static_cast<float>(random.uniform(0, 1));
    std::vector<Point> points;
    for (int i = 0; i < 60; ++i) points.push_back({random.uniform(0, 256), random.uniform(0, 256)});
    set.push_back(data::make_sample(context, image, points, 1.0, "noise", "all"));
  }
  return set;
}

/// A training of its own, and what its steps took.
struct Side {
  using Tasks = std::tuple<train::Task<loss::WeightedSquaredError, label::ProximityMap>>;
  using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 32}>, 3, Cpu>;

  Side(Context<Cpu>& context, Ranks& all, bool early, Index images, const train::TrainSettings& settings)
      : ranks(all, early),
        net(context),
        trainer(net, Tasks(), optim::Adam{}, data::CropSampler{.crop = 192, .batch = images, .seed = 5}, settings,
                train::AmongRanks{&ranks}) {}

  void step(const data::Dataset& set) {
    steps.push_back(trainer.step({set}).seconds), means.push_back(ranks.seconds());
  }
  void print(const char* name) const {
    std::printf("%-26s %8.2f ms a step, of which %8.2f ms in the mean\n", name, 1e3 * nucdet_bench::median(steps),
                1e3 * nucdet_bench::median(means));
  }
  std::vector<float> weights() {
    const float* data = std::as_const(net.parameters()->values()).view<const float>().data;
    return {data, data + net.parameters()->size()};
  }

  Timed ranks;
  Net net;
  train::Trainer<Tasks, optim::Adam, Cpu, data::CropSampler, train::AmongRanks> trainer;
  std::vector<double> steps, means;
};

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int otherwise) { return argc > i ? std::max(0, std::atoi(argv[i])) : otherwise; };
  mpi::MpiRanks ranks;
  Context<Cpu> context({.threads = std::max(1, argument(3, 1)), .seed = 3});
  const data::Dataset set = noise(context);
  train::TrainSettings settings;
  settings.rate.schedule = optim::Constant{.rate = 1e-4};
  settings.joint_statistics = argument(4, 1) != 0;
  const Index images = std::max(1, argument(2, 2));
  Side after(context, ranks, false, images, settings), during(context, ranks, true, images, settings);
  after.step(set), during.step(set);  // memory is taken
  after.steps.clear(), after.means.clear(), during.steps.clear(), during.means.clear();
  for (int round = 0; round < std::max(1, argument(1, 20)); ++round) after.step(set), during.step(set);
  const bool same = after.weights() == during.weights();
  if (ranks.rank() == 0) {
    std::printf("%d ranks, %d images each, %lld gradients, statistics %s\n", static_cast<int>(ranks.count()),
                static_cast<int>(images), static_cast<long long>(after.net.parameters()->size()),
                settings.joint_statistics ? "of all" : "of each");
    after.print("after the backward pass"), during.print("during the backward pass");
    std::printf("the weights %s\n", same ? "are the same bits" : "DIFFER");
  }
  return same ? 0 : 1;
}

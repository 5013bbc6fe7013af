#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"
#include "support/thread_ranks.hpp"

/// Trainer works on float alone. What ranks add to a training, statistics and gradients of all, is looked at here in
/// double, where rounding cannot hide an error: a descent of the test's own.
using namespace nucdet;

namespace {

constexpr Index kBatch = 8, kSide = 12;
constexpr int kSteps = 50;
constexpr double kRate = 0.05;

struct SmallDouble : nn::Graph<nn::Node<"stem", nn::ConvUnit<6>>,
                               nn::Node<"deep", nn::Sequential<nn::MaxPool<2>, nn::ConvUnit<8>, nn::Upsample<2>>>,
                               nn::Node<"map", nn::Conv<1, 1>>> {};

/// Some images of the batch of a step, from `first` on, and what is to be made of them.
void draw(int step, Index first, View<double> images, View<double> labels) {
  for (Index n = 0; n < images.shape.n; ++n) {
    RandomStream random{17, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(first + n)};
    double patches[kSide / 4][kSide / 4][3];
    for (auto& row : patches)
      for (auto& patch : row)
        for (double& value : patch) value = random.uniform(-1, 1);
    for (Index y = 0; y < kSide; ++y)
      for (Index x = 0; x < kSide; ++x) {
        const double* const patch = patches[y / 4][x / 4];
        for (Index c = 0; c < 3; ++c) images(n, y, x, c) = patch[c] + random.uniform(-0.1, 0.1);
        labels(n, y, x, 0) = patch[0] - 0.5 * patch[1];
      }
  }
}

double mean(Ranks& ranks, double mine) {
  double sum = 0;
  for (const double of_rank : gathered(ranks, mine)) sum += of_rank;
  return sum / static_cast<double>(ranks.count());
}

void take_mean(Ranks& ranks, std::span<double> numbers) {
  std::vector<double> all(numbers.size() * static_cast<std::size_t>(ranks.count()));
  ranks.gather(numbers.data(), numbers.size_bytes(), all.data());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    double sum = 0;
    for (std::size_t r = i; r < all.size(); r += numbers.size()) sum += all[r];
    numbers[i] = sum / static_cast<double>(ranks.count());
  }
}

/// The loss of each step. joint: statistics of all ranks' images.
std::vector<double> descent(Ranks& ranks, bool joint) {
  Context<Cpu> context({.threads = 1, .seed = 3});
  nn::Network<SmallDouble, 3, Cpu> net(context, DType::f64);
  const Index each = kBatch / ranks.count();
  Tensor<Cpu> images = context.make({each, kSide, kSide, 3}, DType::f64);
  Tensor<Cpu> labels = context.make({each, kSide, kSide, 1}, DType::f64);
  Tensor<Cpu> slope = context.make({each, kSide, kSide, 1}, DType::f64);
  const std::size_t size = static_cast<std::size_t>(net.parameters()->values().shape().count());
  std::vector<double> losses;
  for (int step = 0; step < kSteps; ++step) {
    draw(step, ranks.rank() * each, images.view<double>(), labels.view<double>());
    nn::Tape<Cpu> tape;
    tape.ranks = &ranks, tape.joint_statistics = joint;
    const Tensor<Cpu> y = net.forward(images, {.mode = nn::Mode::training, .tape = &tape});
    const double loss = loss::evaluate<double>(context, loss::SquaredError{}, y.view<const double>(),
                                               std::as_const(labels).view<const double>(), {}, slope.view<double>());
    net.zero_gradients();
    net.backward(slope, tape);
    const std::span<double> gradients(net.parameters()->gradients().view<double>().data, size);
    take_mean(ranks, gradients);
    double* const values = net.parameters()->values().view<double>().data;
    for (std::size_t i = 0; i < size; ++i) values[i] -= kRate * gradients[i];
    losses.push_back(mean(ranks, loss));
  }
  return losses;
}

std::vector<double> losses_of(Index count, bool joint = true) {
  return nucdet_test::with_ranks(count, [&](Ranks& ranks) { return descent(ranks, joint); })[0];
}

double furthest_doubles(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] / b[i] - 1));
  return most;
}

}  // namespace

TEST_CASE("in double, ranks follow one process for 50 steps to nine digits", "[long]") {
  const std::vector<double> alone = losses_of(1);
  CHECK(alone.back() < 0.8 * alone.front());
  for (const Index count : {2, 4, 8}) {
    CAPTURE(count);
    CHECK(furthest_doubles(losses_of(count), alone) < 1e-9);
  }
  CHECK(furthest_doubles(losses_of(2, false), alone) > 1e-3);  // what an error of a term would look like
}

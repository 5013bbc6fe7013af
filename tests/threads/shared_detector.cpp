// One const detector, four threads, images of differing sizes, under ThreadSanitizer: no race, no wrong result.
// Compiled from the headers alone, so that all of it is instrumented. usage: shared_detector [IMAGES]
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/network.hpp"

using namespace nucdet;

namespace {

struct Small
    : nn::Graph<nn::Node<"in", nn::Sequential<nn::Conv<4, 3, nn::ConvOptions{.stride = 2}>, nn::BatchNorm, nn::Elu>>,
                nn::Node<"up", nn::MatchTo<nn::Upsample<2>>, nn::From<"in", "input">>,
                nn::Output<"map", nn::Conv<1, 3>, nn::From<"up">>,
                nn::Output<"classes", nn::Conv<2, 1>, nn::From<"up">>> {
  using head = nn::Joint<nn::Proximity, nn::Classes<"a", "b">>;
};

bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i].centre == b[i].centre) || a[i].score != b[i].score || a[i].class_id != b[i].class_id) return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int images = argc > 1 ? std::atoi(argv[1]) : 100;
  Context<Cpu> context({.threads = 2, .seed = 4});
  const nn::Network<Small, 3, Cpu> net(context);
  const detect::Detector detector(net, {.radius = 3, .absolute = 0.0f}, {}, {.cell = 32});
  std::vector<Image> tissue;
  std::vector<std::vector<Nucleus>> wanted;
  for (const auto& [height, width] : {std::pair<Index, Index>{40, 40}, {64, 33}, {32, 90}, {40, 41}, {33, 32}}) {
    tissue.push_back(
        data::synthesize({.height = std::max<Index>(height, 16), .width = std::max<Index>(width, 16), .seed = 3})
            .image);
    wanted.push_back(detector(tissue.back()));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      // Two of the threads bring a context of their own to the same weights.
      Context<Cpu> own({.threads = 1});
      const detect::Detector<Cpu> mine(own, detector.network(), {.radius = 3, .absolute = 0.0f}, {}, {.cell = 32});
      for (int i = t; i < images; i += 4) {
        const std::size_t k = static_cast<std::size_t>(i / 4 + t) % tissue.size();
        if (!same((t % 2 == 0 ? detector : mine)(tissue[k]), wanted[k])) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  std::printf("%d images, %d wrong results\n", images, wrong.load());
  return wrong == 0 ? 0 : 1;
}

// What a server would do: one detector for four threads, bytes in, classes out; a short training of two heads by a
// label and a loss of its own.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>

#include <nucdet/data/image_view.hpp>
#include <nucdet/data/synthetic_tissue.hpp>
#include <nucdet/detect/detector.hpp>
#include <nucdet/label/class_disc.hpp>
#include <nucdet/loss/class_cross_entropy.hpp>
#include <nucdet/optim/adam.hpp>
#include <nucdet/train/trainer.hpp>

#include "own_network.hpp"

namespace {

using namespace nucdet;

int failures = 0;
void check(bool right, const char* what) {
  if (!right) std::printf("FAILED: %s\n", what), ++failures;
}

struct Cone {
  static constexpr label::Combine combine = label::Combine::nearest;
  float operator()(float squared) const { return squared < 100 ? 1 - squared / 100 : 0.0f; }
  double reach() const { return 10; }
  void check() const {}
};
struct Cubed {
  template <class T>
  T value(const T* o, const T* y, const T*, int) const {
    const T d = o[0] - y[0];
    return d * d * (1 + (d < 0 ? -d : d));
  }
  template <class T>
  void slope(const T* o, const T* y, const T*, int, T* out) const {
    const T d = o[0] - y[0];
    out[0] = 2 * d + 3 * d * (d < 0 ? -d : d);
  }
  int target_maps(int maps) const { return maps == 1 ? 1 : 0; }
};
/// A peak rule of one's own: the one highest pixel.
struct Highest {
  std::vector<Nucleus> operator()(View<const float> map) const {
    Nucleus best{{0, 0}, map(0, 0, 0, 0)};
    for (Index y = 0; y < map.shape.h; ++y)
      for (Index x = 0; x < map.shape.w; ++x)
        if (map(0, y, x, 0) > best.score) best = {{static_cast<double>(x), static_cast<double>(y)}, map(0, y, x, 0)};
    return {best};
  }
};

std::vector<std::uint8_t> bytes_of(const Image& image) {
  std::vector<std::uint8_t> bytes;
  for (const float value : image) bytes.push_back(static_cast<std::uint8_t>(value * 255.0f + 0.5f));
  return bytes;
}

void serve(Context<Cpu>& context) {
  const nn::Network<own::Gated, 3, Cpu> net(context);
  const detect::Detector<Cpu> detector(net, {.radius = 3, .absolute = 0, .full_scale = 0});
  const Image big = data::synthesize({.height = 96, .width = 80, .seed = 1}).image,
              small = data::synthesize({.height = 48, .width = 64, .seed = 2}).image;
  const std::vector<std::uint8_t> big_bytes = bytes_of(big), small_bytes = bytes_of(small);
  const auto wanted_big = detector(data::ImageView(big_bytes.data(), 96, 80)),
             wanted_small = detector(data::ImageView(small_bytes.data(), 48, 64));
  check(!wanted_big.empty() && wanted_big[0].class_id >= 0 && detector.classes()[1] == "long", "nuclei have classes");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const bool large = (i + t) % 2 == 0;
        const auto found = large ? detector(data::ImageView(big_bytes.data(), 96, 80))
                                 : detector(data::ImageView(small_bytes.data(), 48, 64));
        const auto& wanted = large ? wanted_big : wanted_small;
        bool same = found.size() == wanted.size();
        for (std::size_t k = 0; same && k < found.size(); ++k)
          same = found[k].centre == wanted[k].centre && found[k].class_id == wanted[k].class_id;
        wrong += same ? 0 : 1;
      }
    });
  for (std::thread& thread : threads) thread.join();
  check(wrong == 0, "four threads, one detector");
  check(detector(small, 1.0, Highest{}).size() == 1, "a peak rule of one's own");
}

void learn(Context<Cpu>& context) {
  data::Dataset set;
  for (std::uint64_t seed : {5u, 6u}) {
    const auto tissue = data::synthesize({.height = 64, .width = 64, .seed = seed});
    std::vector<int> classes;
    for (std::size_t i = 0; i < tissue.points.size(); ++i) classes.push_back(static_cast<int>(i % 2));
    set.push_back(data::make_sample(context, tissue.image, tissue.points, 1.0, "tissue", "", {}, classes));
  }
  nn::Network<own::Gated, 3, Cpu> net(context);
  const std::tuple tasks(train::Task{Cubed{}, Cone{}, "map"},
                         train::Task{loss::ClassCrossEntropy{}, label::ClassDisc{}, "classes", 0.5});
  train::TrainSettings settings{.iterations = 3, .validate_every = 3};
  settings.rate.schedule = optim::Constant{.rate = 1e-3};
  train::Trainer trainer(net, tasks, optim::Adam{}, data::CropSampler{.crop = 32, .batch = 1}, settings);
  trainer.fit({set}, [](const nn::Model<Cpu>&) { return train::Validation{.loss = 1}; });
  check(trainer.state().iteration == 3, "two heads are trained");
}

void look_at_all(Context<Cpu>& context) {
  const nn::Network<own::Global, 3, Cpu> net(context);
  const detect::LocalMaxima all{.radius = 3, .absolute = 0, .full_scale = 0};
  const Image image = data::synthesize({.height = 64, .width = 96, .seed = 1}).image;
  detect::Detector<Cpu>(net, all)(image);
  try {
    detect::Detector<Cpu>(net, all, {}, {.cell = 32})(image);
    check(false, "a layer that looks at the whole image refuses tiles");
  } catch (const ArgumentError&) {}
}

}  // namespace

int main() {
  Context<Cpu> context({.threads = 2, .seed = 3});
  serve(context), learn(context), look_at_all(context);
  check((context.kernels() != nullptr) == (std::strcmp(own::kernels_of_headers(), "some") == 0),
        "both files see one library");
  check(own::found_by_headers() > 0, "the file of the headers alone detects");
  return failures;
}

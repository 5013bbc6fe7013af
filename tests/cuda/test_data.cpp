// What goes into a network, on a CUDA device: labels drawn from points, and the bytes of a host program.
#include <cmath>
#include <utility>

#include "nucdet/data/image_view.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render_classes.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

TEST_CASE("cuda: labels are drawn from points as on the CPU") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> gpu;
  RandomStream random{3};
  std::vector<AnnotatedPoints> points(3);
  for (int k = 0; k < 60; ++k) points[0].points.push_back({random.uniform(-20, 130), random.uniform(-20, 100)});
  points[2].points = {{5, 5}, {5, 5}, {-1e9, 3}, {119.5, 79.5}};  // image 1 has none
  const auto check = [&](const auto& profile) {
    const auto run = [&](auto& context) {
      auto maps = context.make({3, 80, 120, 2});
      label::render_batch(context, profile, std::span<const AnnotatedPoints>(points), maps.template view<float>());
      return numbers_of(context, maps);
    };
    CHECK(difference(run(gpu), run(cpu)) < kElementwise);
  };
  check(label::ProximityMap{}), check(label::GaussianDensity{}), check(label::Disc{});
  auto maps = gpu.make({3, 8, 8, 1});
  CHECK_THROWS_AS(
      label::render_batch(gpu, label::Disc{}, std::span<const AnnotatedPoints>(points).first(2), maps.view<float>()),
      ShapeError);
  points[1].points = {{NAN, 0}};
  CHECK_THROWS_AS(label::render_batch(gpu, label::Disc{}, std::span<const AnnotatedPoints>(points), maps.view<float>()),
                  ArgumentError);
}

TEST_CASE("cuda: class maps are the CPU's, bit for bit") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> gpu;
  RandomStream random{3};
  std::vector<AnnotatedPoints> nuclei(3);
  for (int k = 0; k < 60; ++k) {
    nuclei[0].points.push_back(
        {0.5 * std::floor(random.uniform(-40, 260)), 0.5 * std::floor(random.uniform(-40, 200))});
    nuclei[0].classes.push_back(static_cast<int>(random.below(4)) - 1);
  }
  nuclei[2] = {{{5, 5}, {5, 5}, {-1e9, 3}, {119.5, 79.5}}, {2, 0, 1, 15}};  // image 1 has none
  const auto run = [&](auto& context) {
    auto maps = context.make({3, 80, 120, 2});
    label::render_batch(context, label::ClassDisc{12}, std::span<const AnnotatedPoints>(nuclei),
                        maps.template view<float>());
    return numbers_of(context, maps);
  };
  CHECK(run(gpu) == run(cpu));
}

TEST_CASE("cuda: windows of bytes are the CPU's, bit for bit, and only what they show goes up") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> gpu;
  RandomStream random{5};
  const auto check = [&]<class T>(T, data::ChannelOrder order, Index channels) {
    const Index h = 23, w = 31, pad = 2;
    std::vector<T> pixels;
    for (Index i = 0; i < h * (w * channels + pad); ++i) pixels.push_back(static_cast<T>(random.below(65536)));
    const data::ImageView image(pixels.data(), h, w, channels, (w * channels + pad) * static_cast<Index>(sizeof(T)),
                                order);
    for (const auto& corner : {std::pair<Index, Index>{0, 0}, {3, 5}, {-40, -9}, {15, 20}}) {
      const auto run = [&](auto& context) {
        auto tile = context.make({1, 17, 13, 3});
        data::copy_reflected(context, image, corner.first, corner.second, tile.template view<float>());
        return numbers_of(context, tile);
      };
      CHECK(run(gpu) == run(cpu));
    }
  };
  for (const data::ChannelOrder order : {data::ChannelOrder::rgb, data::ChannelOrder::bgr})
    for (const Index channels : {Index{1}, Index{3}, Index{4}})
      check(std::uint8_t{}, order, channels), check(std::uint16_t{}, order, channels);
  auto tile = gpu.make({1, 4, 4, 3});
  CHECK_THROWS_AS(data::copy_reflected(gpu, data::ImageView(), 0, 0, tile.view<float>()), ArgumentError);
}

// A detector that others use too: bytes in, spans of images, a watch, classes whatever the tiles. Threads:
// tests/threads.
#include <cstdint>
#include <memory_resource>
#include <new>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using detect::Detector;
using Joint = nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 4, .classes = 3}>, 3, Cpu>;

namespace {

constexpr detect::LocalMaxima kAll{.radius = 3, .absolute = 0.0f, .full_scale = 0};

/// Bytes as a host program has them, blue first, with something between the rows; and the Image of the same pixels.
struct Pixels {
  Index height, width, stride;
  std::vector<std::uint8_t> bytes;
  Image image;

  Pixels(Index h, Index w, std::uint64_t seed)
      : height(h),
        width(w),
        stride(3 * w + 7),
        bytes(static_cast<std::size_t>(h * stride), 99),
        image(make_image(h, w, 3)) {
    const Image tissue = data::synthesize({.height = h, .width = w, .seed = seed}).image;
    for (std::size_t y = 0; y < static_cast<std::size_t>(h); ++y)
      for (std::size_t x = 0; x < static_cast<std::size_t>(w); ++x)
        for (std::size_t c = 0; c < 3; ++c) {
          const auto value = static_cast<std::uint8_t>(tissue(y, x, c) * 255.0f + 0.5f);
          bytes[y * static_cast<std::size_t>(stride) + 3 * x + 2 - c] = value;
          image(y, x, c) = static_cast<float>(value) / 255.0f;
        }
  }
  data::ImageView view() const { return {bytes.data(), height, width, 3, stride, data::ChannelOrder::bgr}; }
};

void check_same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].centre == b[i].centre);
    CHECK(a[i].score == b[i].score);
    CHECK(a[i].class_id == b[i].class_id);
    CHECK(a[i].class_probability == b[i].class_probability);
  }
}

}  // namespace

TEST_CASE("bytes give what the floats of the same pixels give, in tiles, resampled, by every rule") {
  Context<Cpu> context({.threads = 2, .seed = 4, .convolution = ConvolutionMethod::direct});
  const Joint net(context);
  const Pixels pixels(150, 131, 3);
  for (const data::Normalization& rule :
       {data::Normalization(data::FixedNormalization{}), data::Normalization(data::ImageNormalization{})}) {
    const Detector detector(net, kAll, rule, {.cell = 64});
    for (const double scale : {1.0, 0.7}) {
      const auto found = detector(pixels.view(), scale);
      CHECK(found.size() > 5);
      check_same(found, detector(pixels.image, scale));
    }
  }
  const Detector detector(net, kAll);
  data::ImageView wrong = pixels.view();
  wrong.row_stride = 3;
  CHECK_THROWS_AS(detector(wrong), ShapeError);
  Image to_255 = pixels.image;
  to_255 *= 255.0f;
  CHECK_THROWS_WITH(detector(to_255), Catch::Matchers::Contains("wanted [0, 1]"));
}

TEST_CASE(
    "a part of an image has the nuclei of the whole, by any kernels, at any scale, and no more tiles than it touches",
    "[long]") {
  const Pixels pixels(300, 331, 5);
  for (const ConvolutionMethod method : {ConvolutionMethod::automatic, ConvolutionMethod::direct}) {
    Context<Cpu> context({.threads = 2, .seed = 4, .convolution = method});
    const Joint net(context);
    for (const data::Normalization& rule :
         {data::Normalization(data::FixedNormalization{}), data::Normalization(data::ImageNormalization{})}) {
      const Detector detector(net, kAll, rule, {.cell = 64});
      for (const double scale : {1.0, 2.0, 0.7}) {
        INFO(scale);
        const std::vector<Nucleus> whole = detector(pixels.view(), scale);
        for (const Rectangle& part :
             {Rectangle{35, 17, 50, 41}, Rectangle{128, 64, 64, 64}, Rectangle{290, 0, 41, 300}}) {
          const auto lying_there = [&](std::vector<Nucleus> nuclei) {
            std::erase_if(nuclei, [&](const Nucleus& n) { return !part.holds(n.centre.x + 0.5, n.centre.y + 0.5); });
            return nuclei;
          };
          Index tiles = 0;
          const Watch watch{{}, [&](Index, Index all) { tiles = all; }};
          const std::vector<Nucleus> found = lying_there(detector.detect(pixels.view(), part, scale, watch).nuclei);
          CHECK(found.size() > 3);
          check_same(found, lying_there(whole));
          const auto across = [&](Index length) {
            return static_cast<Index>(static_cast<double>(length) * scale / 64) + 2;
          };
          CHECK(tiles <= across(part.width) * across(part.height));
        }
      }
    }
  }
}

TEST_CASE("a detector that once got no memory works when there is some again") {
  struct Failing : std::pmr::memory_resource {
    bool fails = false;
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      if (fails) throw std::bad_alloc();
      return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
      std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
  } memory;
  Context<Cpu> context({.threads = 1, .seed = 4, .memory = &memory});
  const Joint net(context);
  const Detector detector(net, kAll);
  const Pixels small(80, 64, 3), large(96, 128, 3);
  const std::vector<Nucleus> wanted = detector(small.view());
  CHECK(wanted.size() > 3);
  memory.fails = true;
  CHECK_THROWS_AS(detector(large.view()), std::bad_alloc);  // the pass of the small one lost its input
  memory.fails = false;
  check_same(detector(small.view()), wanted);
}

TEST_CASE("many images in one call are watched and stopped") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  const Joint net(context);
  const Detector detector(net, kAll, {}, {.cell = 64});
  const Pixels a(70, 90, 3), b(64, 64, 4);
  const std::vector<data::ImageView> views{a.view(), b.view()};
  std::vector<Index> told;
  const auto all = detector.detect(std::span<const data::ImageView>(views), 1.0,
                                   {.progress = [&](Index done, Index) { told.push_back(done); }});
  REQUIRE(all.size() == 2);
  check_same(all[1].nuclei, detector(b.image));
  CHECK(told == std::vector<Index>{0, 1, 2});
  std::stop_source source;
  Index tiles = 0;
  CHECK_THROWS_AS(detector.detect(a.image, 1.0,
                                  {.stop = source.get_token(),
                                   .progress =
                                       [&](Index done, Index count) {
                                         tiles = count;
                                         if (done == 1) source.request_stop();
                                       }}),
                  Stopped);
  CHECK(tiles == 4);
}

TEST_CASE("every nucleus has the class of its pixel, whatever the tiles") {
  Context<Cpu> context({.threads = 2, .seed = 4, .convolution = ConvolutionMethod::direct});
  const Joint net(context);
  const Image image = Pixels(200, 160, 3).image;
  const auto whole = Detector(net, kAll)(image);
  REQUIRE(whole.size() > 10);
  int classes[3] = {};
  for (const Nucleus& n : whole) {
    REQUIRE((n.class_id >= 0 && n.class_id < 3));
    CHECK((n.class_probability > 1.0f / 3 && n.class_probability <= 1));
    ++classes[n.class_id];
  }
  check_same(Detector(net, kAll, {}, {.cell = 112})(image), whole);
  check_same(Detector(net, kAll, {}, {.cell = 112, .uniform = true})(image), whole);
}

TEST_CASE("the class of a place is that of the highest mean probability around it") {
  Context<Cpu> context({.threads = 1});
  Tensor<Cpu> scores = context.zeros({1, 9, 9, 3});
  for (Index y = 0; y < 9; ++y)
    for (Index x = 0; x < 9; ++x) scores.view<float>()(0, y, x, x < 4 ? 1 : 2) = 4;
  scores.view<float>()(0, 0, 0, 0) = 50;  // one pixel of nine: not enough
  const detect::PixelPlace places[] = {{0, 0}, {8, 8}, {2, 4}};
  const auto found = detect::classes_at(context, std::as_const(scores).view<const float>(), places);
  CHECK(found[0].id == 1);
  CHECK(found[1].id == 2);
  CHECK(found[1].probability == Approx(std::exp(4.0) / (std::exp(4.0) + 2)).epsilon(1e-5));
  CHECK(found[2].id == 1);
  const detect::PixelPlace outside[] = {{-9, 4}};
  CHECK(detect::classes_at(context, std::as_const(scores).view<const float>(), outside)[0].id == kUnknownClass);
}

TEST_CASE("the maps that a head names must have the input's size, others need not") {
  struct Half : nn::Graph<nn::Output<"map", nn::Conv<1, 3, nn::ConvOptions{.stride = 2}>>> {
    using head = nn::Proximity;
  };
  struct Deep : nn::Graph<nn::Node<"low", nn::Conv<2, 3, nn::ConvOptions{.stride = 2}>>,
                          nn::Output<"map", nn::Sequential<nn::Upsample<2>, nn::Conv<1, 1>>>,
                          nn::Output<"deep", nn::Conv<1, 1>, nn::From<"low">>> {
    using head = nn::Proximity;
  };
  Context<Cpu> context({.threads = 1, .seed = 4});
  const Image image = Pixels(70, 90, 3).image;
  CHECK_THROWS_WITH(Detector(nn::Network<Half, 3, Cpu>(context), kAll)(image),
                    Catch::Matchers::Contains("'map'") && Catch::Matchers::Contains("input's size"));
  CHECK(!Detector(nn::Network<Deep, 3, Cpu>(context), kAll)(image).empty());
}

#include <cmath>
#include <limits>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/data/image_conversion.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

namespace {

constexpr Index kHeight = 7, kWidth = 5;

/// Pixels of `channels` values with `pad` values of rubbish after each row.
template <class T>
std::vector<T> pixels(Index channels, Index pad = 0) {
  RandomStream random{2, static_cast<std::uint64_t>(channels)};
  std::vector<T> values;
  for (Index y = 0; y < kHeight; ++y) {
    for (Index i = 0; i < kWidth * channels; ++i)
      values.push_back(static_cast<T>(random.below(std::numeric_limits<T>::max() + Index{1})));
    for (Index i = 0; i < pad; ++i) values.push_back(static_cast<T>(77));
  }
  return values;
}

/// What io reads: value / 255 or / 65535, red first.
template <class T>
Image read(const std::vector<T>& values, Index channels, Index pad, bool bgr) {
  Image image = make_image(kHeight, kWidth, channels);
  const float most = sizeof(T) == 1 ? 255.0f : 65535.0f;
  for (Index y = 0; y < kHeight; ++y)
    for (Index x = 0; x < kWidth; ++x)
      for (Index c = 0; c < channels; ++c)
        image(static_cast<std::size_t>(y), static_cast<std::size_t>(x),
              static_cast<std::size_t>(bgr && c < 3 ? 2 - c : c)) =
            static_cast<float>(values[static_cast<std::size_t>(y * (kWidth * channels + pad) + x * channels + c)]) /
            most;
  return image;
}

/// As much of cv::Mat as is asked for.
struct Matrix {
  struct Step {
    std::size_t bytes;
    explicit operator std::size_t() const { return bytes; }
  };
  unsigned char* data;
  int rows, cols;
  Step step;
  int kind, values;
  int channels() const { return values; }
  int depth() const { return kind; }
};

}  // namespace

TEST_CASE("image view: windows of bytes are those of the image in floats, bit for bit, reflected parts included") {
  Context<Cpu> context({.threads = 2});
  const auto check = [&]<class T>(T, Index pad, ChannelOrder order) {
    const std::vector<T> values = pixels<T>(3, pad);
    const ImageView view(values.data(), kHeight, kWidth, 3, (kWidth * 3 + pad) * static_cast<Index>(sizeof(T)), order);
    const Image image = read(values, 3, pad, order == ChannelOrder::bgr);
    CHECK((to_image(context, view) == image));
    for (const auto& [top, left] : {std::pair<Index, Index>{0, 0}, {2, 1}, {-9, -6}, {3, -20}}) {
      std::vector<float> found(3 * 17 * 19), wanted(3 * 17 * 19);
      copy_reflected(context, view, top, left, View<float>(found.data(), {1, 17, 19, 3}));
      copy_reflected(context, view_of(image), top, left, View<float>(wanted.data(), {1, 17, 19, 3}));
      CHECK(found == wanted);
    }
  };
  for (const ChannelOrder order : {ChannelOrder::rgb, ChannelOrder::bgr})
    for (const Index pad : {Index{0}, Index{1}, Index{6}})
      check(std::uint8_t{}, pad, order), check(std::uint16_t{}, pad, order);
}

TEST_CASE("image view: grey stands for all channels, alpha is ignored, other channels stay as they are") {
  Context<Cpu> context({.threads = 1});
  const auto four = pixels<std::uint8_t>(4), one = pixels<std::uint8_t>(1), five = pixels<std::uint8_t>(5);
  const Image rgba = read(four, 4, 0, false), bgra = read(four, 4, 0, true);
  const Image plain = to_image(context, {four.data(), kHeight, kWidth, 4}),
              swapped = to_image(context, {four.data(), kHeight, kWidth, 4, 0, ChannelOrder::bgr});
  const Image grey = to_image(context, {one.data(), kHeight, kWidth, 1, 0, ChannelOrder::bgr});
  for (std::size_t y = 0; y < 7; ++y)
    for (std::size_t x = 0; x < 5; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        CHECK(plain(y, x, c) == rgba(y, x, c));
        CHECK(swapped(y, x, c) == bgra(y, x, c));
        CHECK(grey(y, x, c) == static_cast<float>(one[y * 5 + x]) / 255.0f);
      }
  CHECK((to_image(context, {four.data(), kHeight, kWidth, 4}, 4) == rgba));
  CHECK((to_image(context, {five.data(), kHeight, kWidth, 5}, 5) == read(five, 5, 0, false)));
  CHECK_THROWS_AS(to_image(context, {five.data(), kHeight, kWidth, 5}, 3), ShapeError);
  CHECK_THROWS_AS(to_image(context, {four.data(), kHeight, kWidth, 4}, 2), ShapeError);
}

TEST_CASE("image view: what no image can be is refused by name") {
  const auto values = pixels<std::uint8_t>(3);
  const auto wide = pixels<std::uint16_t>(3);
  const std::uint8_t* const none = nullptr;
  const auto error = [](const ImageView& view) {
    try {
      view.check();
    } catch (const Error& e) { return std::string(e.what()); }
    return std::string();
  };
  CHECK(error({values.data(), 7, 5}).empty());
  CHECK(error(ImageView{}).find("null") != std::string::npos);
  CHECK(error({none, 7, 5}).find("null") != std::string::npos);
  CHECK(error({values.data(), 0, 5}).find("0 rows") != std::string::npos);
  CHECK(error({values.data(), 7, -5}).find("-5 pixels") != std::string::npos);
  CHECK(error({values.data(), 7, 5, 0}).find("0 values") != std::string::npos);
  CHECK(error({values.data(), 7, 5, 9}).find("at most 8") != std::string::npos);
  CHECK(error({values.data(), 7, 5, 3, 14}).find("stride is 14 bytes, a row has 15") != std::string::npos);
  CHECK(error({values.data(), 7, 5, 3, -15}).find("stride is -15") != std::string::npos);
  CHECK(error({wide.data(), 7, 5, 3, 31}).find("even address") != std::string::npos);
}

TEST_CASE("image view: matrices of OpenCV and arrays of xtensor are seen without a copy") {
  Context<Cpu> context({.threads = 1});
  auto values = pixels<std::uint8_t>(3, 4);
  Matrix m{values.data(), 7, 5, {19}, 0, 3};
  const ImageView seen = image_view(m);
  CHECK(seen.data == values.data());
  CHECK((to_image(context, seen) == read(values, 3, 4, true)));
  CHECK((to_image(context, image_view(m, ChannelOrder::rgb)) == read(values, 3, 4, false)));
  auto wide = pixels<std::uint16_t>(1);
  m = {reinterpret_cast<unsigned char*>(wide.data()), 7, 5, {10}, 2, 1};
  CHECK((to_image(context, image_view(m), 1) == read(wide, 1, 0, false)));
  m.kind = 5;  // CV_32F
  CHECK_THROWS_WITH(image_view(m), Catch::Matchers::Contains("depth 5"));

  const auto dense = pixels<std::uint16_t>(3);
  xt::xtensor<std::uint16_t, 3> array({7, 5, 3});
  std::copy(dense.begin(), dense.end(), array.data());
  CHECK(image_view(array).data == array.data());
  CHECK((to_image(context, image_view(array)) == read(dense, 3, 0, false)));
  xt::xtensor<std::uint8_t, 2> grey({7, 5});
  grey.fill(51);
  CHECK(to_image(context, image_view(grey), 1)(6, 4, 0) == 0.2f);
  xt::xtensor<std::uint8_t, 3, xt::layout_type::column_major> planes({7, 5, 3});
  CHECK_THROWS_AS(image_view(planes), ShapeError);
  xt::xtensor<std::uint8_t, 1> line({7});
  CHECK_THROWS_AS(image_view(line), ShapeError);
}

TEST_CASE("images: doubles and bytes become images by name, values out of range are refused") {
  Context<Cpu> context({.threads = 2});
  xt::xtensor<double, 3> doubles({2, 3, 3});
  doubles.fill(51);
  CHECK(image_from(doubles, 255)(1, 2, 2) == 0.2f);
  CHECK((image_from(xt::xtensor<int, 2>({2, 3}, 255), 255) == make_image(2, 3, 1, 1.0f)));
  CHECK((image_from(2 * doubles, 102) == make_image(2, 3, 3, 1.0f)));
  CHECK_THROWS_AS(image_from(xt::xtensor<int, 1>({2}, 1), 255), ShapeError);
  CHECK_THROWS_AS(image_from(doubles, 0), ArgumentError);

  Image image = make_image(4, 6, 3, 1.0f);
  const auto check = [&] { check_image(context, view_of(std::as_const(image)), "detect"); };
  CHECK_NOTHROW(check());
  image(3, 5, 2) = 1.01f, image(0, 0, 0) = -0.01f;
  CHECK_NOTHROW(check());
  image(3, 5, 2) = 255;
  CHECK_THROWS_WITH(check(), Catch::Matchers::Contains("detect: values from") && Catch::Matchers::Contains("to 255") &&
                                 Catch::Matchers::Contains("image_from(values, 255)"));
  image(3, 5, 2) = NAN;
  CHECK_THROWS_WITH(check(), Catch::Matchers::Contains("not a number"));
  image(3, 5, 2) = 1, image(2, 2, 2) = -1;
  CHECK_THROWS_AS(check(), ArgumentError);
}

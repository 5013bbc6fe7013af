#include <cmath>
#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"
#include "nucdet/io/overlay.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

float changed(const Image& image, Index y, Index x) {
  float sum = 0;
  for (Index c = 0; c < 3; ++c) sum += std::abs(image(y, x, c) - 0.5f);
  return sum;
}
/// Changed pixels among 9 x 9 samples of the square around (20, 20), as a picture.
std::string print_of(MarkKind kind) {
  const OverlayMark mark{{20, 20}, kind, {20, 20}};
  const Image result = draw_overlay(make_image(41, 41, 3, 0.5f), std::span(&mark, 1), {.radius = 8, .legend = false});
  std::string print;
  for (Index y = 8; y <= 32; y += 3)
    for (Index x = 8; x <= 32; x += 3) print += changed(result, y, x) > 0.2f ? '#' : '.';
  return print;
}

}  // namespace

TEST_CASE("a ring is bright on its radius, dark beside it, and leaves the rest alone") {
  const OverlayMark mark{{20.0, 20.0}, MarkKind::detection};
  const Image image = make_image(41, 41, 3, 0.5f);
  const Image result = draw_overlay(image, std::span(&mark, 1), {.radius = 8, .legend = false});
  REQUIRE(result.shape() == image.shape());
  for (Index y = 0; y < 41; ++y)
    for (Index x = 0; x < 41; ++x) {
      const double off = std::abs(std::hypot(static_cast<double>(x) - 20, static_cast<double>(y) - 20) - 8);
      if (off > 2.5) CHECK(changed(result, y, x) == 0);
      if (off < 0.3) CHECK(result(y, x, 0) > 0.9f);
      if (off > 1.4 && off < 1.8) CHECK(result(y, x, 0) < 0.3f);
    }
}

TEST_CASE("the kinds differ in shape, not in colour alone") {
  const std::string ring = print_of(MarkKind::detection), square = print_of(MarkKind::false_alarm),
                    triangle = print_of(MarkKind::miss);
  CHECK(ring != square);
  CHECK(ring != triangle);
  CHECK(square != triangle);
}

TEST_CASE("a hit has a line to its truth") {
  const OverlayMark mark{{10, 20}, MarkKind::hit, {34, 20}};
  const Image result = draw_overlay(make_image(41, 41, 3, 0.5f), std::span(&mark, 1), {.radius = 5, .legend = false});
  CHECK(changed(result, 20, 28) > 0.4f);
  CHECK(changed(result, 20, 34) > 0.4f);
  CHECK(changed(result, 20, 38) == 0);
}

TEST_CASE("zoom keeps the pixels and puts marks on the same place") {
  Image image = make_image(10, 12, 3);
  for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i % 7) / 7;
  const Image large = draw_overlay(image, {}, {.zoom = 3, .legend = false});
  REQUIRE((large.shape(0) == 30 && large.shape(1) == 36));
  CHECK((large(29, 35, 1) == image(9, 11, 1) && large(4, 8, 2) == image(1, 2, 2)));
  const OverlayMark mark{{0, 0}, MarkKind::hit, {0, 0}};
  const Image marked =
      draw_overlay(make_image(10, 10, 3, 0.5f), std::span(&mark, 1), {.radius = 9, .zoom = 3, .legend = false});
  CHECK(changed(marked, 1, 10) == changed(marked, 10, 1));
  CHECK(marked(1, 10, 1) > 0.9f);
}

TEST_CASE("the legend is below the image and wraps where it is narrow") {
  const OverlayMark marks[] = {
      {{5, 5}, MarkKind::hit, {6, 6}}, {{9, 9}, MarkKind::miss}, {{-50, 1e6}, MarkKind::false_alarm}};
  const Image wide = draw_overlay(make_image(20, 600, 3, 0.5f), marks),
              narrow = draw_overlay(make_image(20, 90, 3, 0.5f), marks);
  CHECK(wide.shape(0) == 20 + 28);
  CHECK(narrow.shape(0) == 20 + 3 * 28);
  for (const Image* image : {&wide, &narrow}) {
    float brightest = 0;
    for (std::size_t y = 20; y < image->shape(0); ++y)
      for (std::size_t x = 0; x < image->shape(1); ++x) brightest = std::max(brightest, (*image)(y, x, 2));
    CHECK(brightest > 0.8f);
    for (const float value : *image) CHECK((value >= 0 && value <= 1));
  }
  CHECK(draw_overlay(make_image(20, 90, 3), {}).shape(0) == 48);
}

TEST_CASE("bad overlays are refused") {
  const OverlayMark lost{{std::numeric_limits<double>::quiet_NaN(), 0}};
  const Image image = make_image(4, 4, 3);
  CHECK_THROWS_AS(draw_overlay(image, std::span(&lost, 1)), ArgumentError);
  CHECK_THROWS_AS(draw_overlay(image, {}, {.radius = 0}), ArgumentError);
  CHECK_THROWS_AS(draw_overlay(image, {}, {.zoom = 0}), ArgumentError);
  CHECK_THROWS_AS(draw_overlay(make_image(4, 4, 1), {}), ShapeError);
}

TEST_CASE("classes have their colours, a hit of another class shows both, and the legend names them") {
  const auto drawn = [](OverlayMark mark, OverlayStyle style) {
    return draw_overlay(make_image(41, 240, 3, 0.5f), std::span(&mark, 1), style);
  };
  const auto is_colour = [](const Image& image, Index y, Index x, int class_id) {
    const auto c = class_colour(class_id);
    for (std::size_t k = 0; k < 3; ++k)
      if (std::abs(255 * image(static_cast<std::size_t>(y), static_cast<std::size_t>(x), k) -
                   static_cast<float>(c[k])) > 6)
        return false;
    return true;
  };
  const OverlayStyle plain{.radius = 8, .legend = false};
  for (const MarkKind kind : {MarkKind::detection, MarkKind::hit})
    CHECK(is_colour(drawn({{20, 20}, kind, {20, 20}, 2}, plain), 20, 28, 2));
  CHECK(is_colour(drawn({{20, 20}, MarkKind::miss, {}, 4}, plain), 10, 20, 4));
  const Image right = drawn({{20, 20}, MarkKind::hit, {20, 20}, 2, 2}, plain),
              wrong = drawn({{20, 20}, MarkKind::hit, {20, 20}, 2, 3}, plain);
  CHECK(is_colour(wrong, 20, 28, 2));
  CHECK(is_colour(wrong, 20, 24, 3));
  CHECK(changed(right, 20, 24) == 0);
  // Unknown classes change nothing.
  CHECK((drawn({{20, 20}, MarkKind::hit, {20, 20}, kUnknownClass, 1}, plain) ==
         drawn({{20, 20}, MarkKind::hit, {20, 20}}, plain)));
  const auto legend = [&](const ClassNames& names) {
    const Image image = drawn({{20, 20}, MarkKind::detection, {}, 1}, {.radius = 8, .classes = names});
    int ink = 0, coloured = 0;
    for (Index y = 41; y < static_cast<Index>(image.shape(0)); ++y)
      for (Index x = 0; x < 240; ++x)
        ink += image(y, x, 1) > 0.8f ? 1 : 0, coloured += is_colour(image, y, x, 1) ? 1 : 0;
    CHECK(coloured > 10);
    return ink;
  };
  const int numbered = legend({}), named = legend(ClassNames({"a", "Plasma cell (b/w)"}));
  CHECK(numbered > 50);
  CHECK(named > numbered + 50);
  CHECK_THROWS_AS(drawn({{20, 20}, MarkKind::hit, {}, kMostClasses}, plain), ArgumentError);
  CHECK_THROWS_AS(drawn({{20, 20}, MarkKind::hit, {}, 0, -2}, plain), ArgumentError);
}

#include "nucdet/slide/thumbnail.hpp"

#include "slide/slides.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;

namespace {

Slide slide_of(Index width, Index height, const Samples& samples) {
  io::Picture picture{.where = "a picture", .height = height, .width = width, .pixel_size = {0.5, 0.5, "a test"}};
  io::Picture::Bytes rgb;
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index c = 0; c < 3; ++c) rgb.push_back(static_cast<std::uint8_t>(samples(x, y, c)));
  picture.pixels = std::move(rgb);
  return Slide(slide::PicturePyramid(std::move(picture)));
}

}  // namespace

TEST_CASE("a thumbnail has the mean of what each pixel covers") {
  const Slide slide = slide_of(2600, 1300, shades(255));
  const io::Picture whole = slide.read(0, {0, 0, 2600, 1300}), small = slide::thumbnail(slide, 100);
  REQUIRE((small.width == 100 && small.height == 50));
  CHECK((small.pixel_size.x == Approx(13) && small.pixel_size.y == Approx(13)));
  double worst = 0;
  for (Index y = 0; y < 50; ++y)
    for (Index x = 0; x < 100; ++x)
      for (Index c = 0; c < 3; ++c) {
        double sum = 0;
        for (Index v = 0; v < 26; ++v)
          for (Index u = 0; u < 26; ++u) sum += value_at(whole, 26 * x + u, 26 * y + v, c);
        worst = std::max(worst, std::abs(sum / 676 - value_at(small, x, y, c)));
      }
  CHECK(worst <= 0.5 + 1e-6);
}

TEST_CASE("a thumbnail of a size that does not divide keeps a grey and a slope, and is never enlarged") {
  const Slide grey = slide_of(1000, 337, [](Index, Index, Index) { return 93; });
  const io::Picture small = slide::thumbnail(grey, 123);
  CHECK((small.width == 123 && small.height == 41));
  CHECK(pictures::difference(small, [](Index, Index, Index) { return 93 / 255.0; }) < 1e-6);
  const Slide slope = slide_of(1000, 20, [](Index x, Index, Index) { return static_cast<double>(x / 4); });
  CHECK(pictures::difference(slide::thumbnail(slope, 300), [](Index x, Index, Index) {
          return ((static_cast<double>(x) + 0.5) / 0.3 - 2) / 4 / 255;
        }) < 1.01 / 255);
  CHECK(slide::thumbnail(grey, 5000).width == 1000);
  CHECK(std::get<io::Picture::Bytes>(slide::thumbnail(slope, 1000).pixels) == read(slope, 0, {0, 0, 1000, 20}));
  CHECK(holds(error_of<ArgumentError>([&] { slide::thumbnail(grey, 0); }), "1 to 32768"));
}

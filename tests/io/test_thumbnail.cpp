#include "nucdet/io/image.hpp"
#include "nucdet/io/thumbnail.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

/// Left half red, right half of one value in all channels.
template <class T>
Picture halves(Index width, Index height, T full) {
  std::vector<T> pixels;
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      const bool left = x < width / 2;
      pixels.push_back(full);
      pixels.push_back(left ? T{0} : full), pixels.push_back(left ? T{0} : full);
    }
  Picture picture{.where = "halves", .height = height, .width = width};
  picture.pixels = std::move(pixels);
  return picture;
}

Picture shown(const std::string& jpeg) {
  return decode_picture(std::as_bytes(std::span(jpeg.data(), jpeg.size())), "thumbnail");
}

}  // namespace

TEST_CASE("a thumbnail is the picture in small") {
  for (const Picture& picture : {halves<std::uint8_t>(1000, 401, 255), halves<std::uint16_t>(1000, 401, 65535)}) {
    const std::string jpeg = thumbnail_jpeg(picture, 100, 95);
    const Picture small = shown(jpeg);
    CHECK(small.format == "JPEG");
    CHECK(small.width == 100);
    CHECK(small.height == 40);
    const Image image = to_image(small);
    CHECK(image(20, 10, 0) > 0.9f);
    CHECK(image(20, 10, 1) < 0.1f);
    CHECK(image(20, 90, 1) > 0.9f);
  }
}

TEST_CASE("a small picture stays as it is, a long one keeps a pixel") {
  CHECK(shown(thumbnail_jpeg(halves<std::uint8_t>(30, 20, 255), 160)).width == 30);
  const Picture line = shown(thumbnail_jpeg(halves<std::uint8_t>(3000, 2, 255), 160));
  CHECK(line.width == 160);
  CHECK(line.height == 1);
  CHECK_THROWS_AS(thumbnail_jpeg(halves<std::uint8_t>(3, 2, 255), 0), ArgumentError);
  CHECK_THROWS_AS(thumbnail_jpeg(Picture{}, 10), ShapeError);
}

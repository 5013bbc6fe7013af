#include <cmath>
#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/io/image.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

const std::filesystem::path kImages = std::filesystem::path(NUCDET_TEST_DIR) / "golden/images";

/// The pictures of golden/make_images.py.
int value8(Index x, Index y, Index c) { return static_cast<int>((13 * x + 29 * y + 71 * c) % 256); }
int value16(Index x, Index y, Index c) { return static_cast<int>((1301 * x + 2903 * y + 7109 * c) % 65536); }

/// The largest difference from expected(x, y, c) in [0, 1].
template <class Expected>
double difference(const Image& image, Expected expected) {
  if (image.shape(0) != 13 || image.shape(1) != 19 || image.shape(2) != 3) return 1e9;
  double most = 0;
  for (Index y = 0; y < 13; ++y)
    for (Index x = 0; x < 19; ++x)
      for (Index c = 0; c < 3; ++c)
        most = std::max(most, std::abs(static_cast<double>(image(y, x, c)) - expected(x, y, c)));
  return most;
}

Image decode(std::string_view bytes, const PictureOptions& limits = {}) {
  return decode_image(std::as_bytes(std::span(bytes)), "image", limits);
}

}  // namespace

TEST_CASE("every form of picture is read as RGB in [0, 1]") {
  const auto colour8 = [](Index x, Index y, Index c) { return value8(x, y, c) / 255.0; };
  const auto colour16 = [](Index x, Index y, Index c) { return value16(x, y, c) / 65535.0; };
  for (const char* name : {"rgb8.png", "rgb8-interlaced.png", "rgb8-lzw.tif", "rgb8-deflate.tif", "rgb8-tiles.tif"}) {
    INFO(name);
    CHECK(difference(read_image(kImages / name), colour8) < 1e-7);
  }
  for (const char* name : {"rgb16.png", "rgb16-tiles.tif", "rgb16-strips.tif"}) {
    INFO(name);
    CHECK(difference(read_image(kImages / name), colour16) < 1e-7);
  }
  const auto grey = [](Index x, Index y, Index) { return value8(x, y, 0) / 255.0; };
  const auto grey16 = [](Index x, Index y, Index) { return value16(x, y, 0) / 65535.0; };
  const auto inverse = [](Index x, Index y, Index) { return 1 - value16(x, y, 0) / 65535.0; };
  const auto palette = [](Index, Index y, Index c) { return value8(0, y, c) / 255.0; };
  const auto over_white = [](Index x, Index y, Index c) {
    const double alpha = value8(x, y, 3) / 255.0;
    return alpha * value8(x, y, c) / 255.0 + 1 - alpha;
  };
  CHECK(difference(read_image(kImages / "grey8.png"), grey) < 1e-7);
  CHECK(difference(read_image(kImages / "grey16.png"), grey16) < 1e-7);
  CHECK(difference(read_image(kImages / "grey16-white-zero.tif"), inverse) < 1e-7);
  CHECK(difference(read_image(kImages / "palette.png"), palette) < 1e-7);
  CHECK(difference(read_image(kImages / "rgba8.png"), over_white) < 0.5 / 255 + 1e-6);  // 8 bits stay 8 bits
}

TEST_CASE("JPEG in colour, grey and CMYK") {
  const double colour[] = {200, 100, 50}, ink[] = {255, 127, 0};
  CHECK(difference(read_image(kImages / "rgb.jpg"), [&](Index, Index, Index c) { return colour[c] / 255; }) < 0.012);
  CHECK(difference(read_image(kImages / "grey.jpg"), [](Index, Index, Index) { return 77 / 255.0; }) < 0.008);
  CHECK(difference(read_image(kImages / "cmyk.jpg"), [&](Index, Index, Index c) { return ink[c] / 255 * 0.8; }) <
        0.012);
}

TEST_CASE("a picture cut anywhere is an error") {
  int cut = 0;
  for (const char* name : {"rgb8.png", "rgb8-interlaced.png", "palette.png", "rgb.jpg", "cmyk.jpg", "rgb8-lzw.tif",
                           "rgb8-tiles.tif", "rgb16-strips.tif"}) {
    const std::string bytes = contents_of(kImages / name);
    const Image whole = decode(bytes);
    for (std::size_t length = 0; length < bytes.size(); ++length, ++cut) {
      INFO(name << " cut to " << length << " of " << bytes.size());
      try {
        const Image part = decode(std::string_view(bytes).substr(0, length));
        // Only what lies behind the pixels (a pad byte, the offset of a next picture) may be missing.
        CHECK(length + 8 >= bytes.size());
        CHECK((part == whole));
      } catch (const IoError& error) { CHECK(std::string(error.what()).find("image: ") == 0); }
    }
  }
  CHECK(cut > 5000);
}

TEST_CASE("a picture with one byte changed is a picture or an error") {
  for (const char* name : {"rgb8.png", "rgb.jpg", "rgb8-lzw.tif", "rgb16-tiles.tif"}) {
    std::string bytes = contents_of(kImages / name);
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 700); ++i) {
      const char old = bytes[i];
      bytes[i] = static_cast<char>(~old);
      try {
        const Image image = decode(bytes, {.pixels = 1 << 16});
        CHECK((image.shape(2) == 3 && image.size() <= 3u << 16));
      } catch (const IoError&) {}
      bytes[i] = old;
    }
  }
}

TEST_CASE("what is no picture, or too large a one, says so") {
  const TemporaryFolder folder;
  put(folder / "empty.png", "");
  put(folder / "text.png", "x,y\n1,2\n");
  const auto error = [](const std::filesystem::path& path, const PictureOptions& limits = {}) {
    return error_of<IoError>([&] { read_image(path, limits); });
  };
  CHECK(error(folder / "empty.png") ==
        (folder / "empty.png").string() + ": is empty, wanted an image: PNG, JPEG, TIFF, JPEG 2000 or WebP");
  CHECK(error(folder / "text.png").find("text.png: is a text, a format that is not read; wanted PNG, JPEG, TIFF") !=
        std::string::npos);
  CHECK(error(folder / "none.png").find("none.png: cannot be opened: ") != std::string::npos);
  CHECK(error(folder.path()).find("is a folder") != std::string::npos);
  for (const char* name : {"rgb8.png", "rgb.jpg", "rgb8-lzw.tif"})
    CHECK(error(kImages / name, {.pixels = 246}).find("19 x 13 pixels, at most 246 are read") != std::string::npos);
  CHECK(error(kImages / "rgb8.png", {.pixels = 247}).empty());
}

TEST_CASE("PNG files come back, clamped and rounded to 8 bits") {
  const TemporaryFolder folder;
  Image image = make_image(5, 7, 3);
  for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = static_cast<float>(i * 37 % 256) / 255.0f;
  write_png(folder / "a.png", image);
  CHECK((read_image(folder / "a.png") == image));
  image(0, 0, 0) = -3, image(0, 0, 1) = 7, image(0, 0, 2) = std::numeric_limits<float>::quiet_NaN();
  image(0, 1, 0) = 100.4f / 255, image(0, 1, 1) = 100.6f / 255;
  write_png(folder / "a.png", image);
  const Image back = read_image(folder / "a.png");
  CHECK((back(0, 0, 0) == 0 && back(0, 0, 1) == 1 && back(0, 0, 2) == 0));
  CHECK((back(0, 1, 0) == 100 / 255.0f && back(0, 1, 1) == 101 / 255.0f));

  Plane map = make_plane(2, 3, 2.0f);
  map(0, 0) = -1, map(0, 1) = 5, map(1, 2) = 9;
  write_png(folder / "m.png", map, -1, 5);
  const Image grey = read_image(folder / "m.png");
  CHECK((grey(0, 0, 1) == 0 && grey(0, 1, 2) == 1 && grey(1, 2, 0) == 1 && grey(1, 1, 0) == 128 / 255.0f));
  CHECK_THROWS_AS(write_png(folder / "m.png", map, 1, 1), ArgumentError);
  CHECK_THROWS_AS(write_png(folder / "m.png", make_plane(0, 3), 0, 1), ShapeError);
  CHECK_THROWS_AS(write_png(folder / "m.png", make_image(2, 2, 2)), ShapeError);
  CHECK_THROWS_AS(write_png(folder / "no" / "m.png", map, 0, 1), IoError);
}

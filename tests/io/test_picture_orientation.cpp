#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

/// Where the standard says that the first stored row and column are seen: the stored sample at (x, y) of the shown
/// picture. `w` and `h` are the stored sizes.
double stored(int orientation, Index x, Index y, Index c, Index w, Index h) {
  switch (orientation) {
    case 2:
      return shade(w - 1 - x, y, c);
    case 3:
      return shade(w - 1 - x, h - 1 - y, c);
    case 4:
      return shade(x, h - 1 - y, c);
    case 5:
      return shade(y, x, c);
    case 6:
      return shade(y, h - 1 - x, c);
    case 7:
      return shade(w - 1 - y, h - 1 - x, c);
    case 8:
      return shade(w - 1 - y, x, c);
    default:
      return shade(x, y, c);
  }
}

void check_turned(const Picture& picture, int orientation, double tolerance) {
  INFO("orientation " << orientation);
  CHECK(picture.width == (orientation >= 5 ? 13 : 19));
  CHECK(picture.height == (orientation >= 5 ? 19 : 13));
  CHECK(difference(picture, [&](Index x, Index y, Index c) { return stored(orientation, x, y, c, 19, 13); }) <
        tolerance);
  CHECK(holds(notes_of(picture), "orientation (" + std::to_string(orientation) + ")") == (orientation != 1));
}

/// EXIF data with the orientation in either byte order.
std::string exif(int orientation, bool big) {
  const auto number = [&](int value, int bytes) {
    std::string text(static_cast<std::size_t>(bytes), '\0');
    text[static_cast<std::size_t>(big ? bytes - 1 : 0)] = static_cast<char>(value);
    return text;
  };
  const auto tag = big ? std::string("\x01\x12", 2) : std::string("\x12\x01", 2);
  return (big ? "MM" : "II") + number(42, 2) + number(8, 4) + number(1, 2) + tag + number(3, 2) + number(1, 4) +
         number(orientation, 2) + number(0, 2) + number(0, 4);
}

std::string big_endian(std::size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string jpeg_with(const std::string& data) {
  const std::string jpeg = contents_of(kImages / "shades.jpg"), app1 = std::string("Exif\0\0", 6) + data;
  return jpeg.substr(0, 2) + "\xFF\xE1" + big_endian(app1.size() + 2, 2) + app1 + jpeg.substr(2);
}

/// libpng asks for no right check sum where it does not read a chunk.
std::string png_with(const std::string& type, const std::string& data, bool at_end, const char* name = "rgb8.png") {
  const std::string png = contents_of(kImages / name);
  const std::size_t at = at_end ? png.size() - 12 : 33;
  return png.substr(0, at) + big_endian(data.size(), 4) + type + data + std::string(4, '\0') + png.substr(at);
}

}  // namespace

TEST_CASE("TIFF: all eight orientations, of 8 and 16 bits, strips and tiles, planes apart or not") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const int bits : {8, 16})
      for (const int tile : {0, 16})
        for (const bool separate : {false, true}) {
          Page page{.bits = bits, .separate = separate, .tile = tile, .samples = shades(bits == 8 ? 255 : 65535)};
          page.more_tags = [=](TIFF* t) { TIFFSetField(t, TIFFTAG_ORIENTATION, orientation); };
          check_turned(decode(tiff_of(page)), orientation, 1e-9);
        }
}

TEST_CASE("um per pixel are those of the turned picture") {
  Page page;
  page.more_tags = [](TIFF* t) {
    TIFFSetField(t, TIFFTAG_ORIENTATION, 6);
    TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(t, TIFFTAG_XRESOLUTION, 20000.0);
    TIFFSetField(t, TIFFTAG_YRESOLUTION, 40000.0);
  };
  const Picture picture = decode(tiff_of(page));
  CHECK((picture.pixel_size.x == Approx(0.25) && picture.pixel_size.y == Approx(0.5)));
}

TEST_CASE("JPEG, PNG and WebP: the orientation of EXIF, in both byte orders") {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool big : {false, true}) {
      check_turned(decode(jpeg_with(exif(orientation, big))), orientation, 0.06);
      for (const bool at_end : {false, true})
        check_turned(decode(png_with("eXIf", exif(orientation, big), at_end)), orientation, 1e-9);
      check_turned(decode(png_with("eXIf", exif(orientation, big), false, "rgb8-interlaced.png")), orientation, 1e-9);
    }
  const std::string webp = contents_of(kImages / "exif6.webp");
  if (!holds(refusal(webp), "built without")) check_turned(decode(webp), 6, 1e-9);
}

TEST_CASE("EXIF that is damaged or says nothing turns nothing") {
  const std::string sound = exif(6, false);
  for (std::size_t length = 0; length < sound.size(); ++length) {
    const Picture picture = decode(jpeg_with(sound.substr(0, length)));
    CHECK((length >= 22 || picture.width == 19));
  }
  for (const int orientation : {0, 9, 100}) CHECK(decode(jpeg_with(exif(orientation, true))).width == 19);
  std::string far = sound;
  far[7] = '\x7F';  // the directory's offset
  CHECK(decode(jpeg_with(far)).width == 19);
}

#include <limits>

#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

Page rgb(int bits, double white, int format = SAMPLEFORMAT_UINT) {
  return {.bits = bits, .format = format, .samples = shades(white)};
}
/// Samples of any type, from `low` to `high`.
Page values(int bits, double low, double high, int format = SAMPLEFORMAT_UINT) {
  return {.bits = bits, .format = format, .samples = [=](Index x, Index y, Index c) {
            return low + (high - low) * shade(x, y, c);
          }};
}

}  // namespace

TEST_CASE("TIFF: every layout of 8 and 16 bits, in both byte orders and BigTIFF") {
  for (const int bits : {8, 16})
    for (const bool separate : {false, true})
      for (const int tile : {0, 16})
        for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE})
          for (const char* mode : {"wl", "wb", "w8"}) {
            INFO(bits << " bits, separate " << separate << ", tile " << tile << ", " << compression << ", " << mode);
            Page page = rgb(bits, bits == 8 ? 255 : 65535);
            page.separate = separate, page.tile = tile, page.compression = compression;
            const Picture picture = decode(tiff_of(page, mode));
            CHECK((picture.width == 19 && picture.height == 13 && picture.bits() == bits));
            CHECK(difference(picture, shade) < 1e-9);
            CHECK(picture.notes.empty());
          }
}

TEST_CASE("TIFF: the other codecs of libtiff, where it has them") {
  for (const int compression : {COMPRESSION_PACKBITS, COMPRESSION_ZSTD, COMPRESSION_LZMA}) {
    if (TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression)) == 0) continue;
    INFO(compression);
    Page page = rgb(8, 255);
    page.compression = compression;
    CHECK(difference(decode(tiff_of(page, "wl")), shade) < 1e-9);
  }
  Page fax{.channels = 1, .bits = 1, .samples = shades(1)};
  fax.photometric = PHOTOMETRIC_MINISWHITE, fax.compression = COMPRESSION_CCITTFAX4;
  Page plain = fax;
  plain.compression = COMPRESSION_NONE;
  CHECK(decode(tiff_of(fax, "wl")).pixels == decode(tiff_of(plain, "wl")).pixels);
}

TEST_CASE("TIFF: grey of 1 to 16 bits, black or white at 0") {
  for (const int bits : {1, 2, 4, 8, 12, 16})
    for (const bool white_at_0 : {false, true}) {
      const double white = std::exp2(bits) - 1;
      Page page{.channels = 1, .bits = bits, .samples = shades(white)};
      page.photometric = white_at_0 ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK;
      const Picture picture = decode(tiff_of(page));
      INFO(bits << " bits, white at 0: " << white_at_0);
      CHECK(picture.bits() == (bits <= 8 ? 8 : 16));
      CHECK(picture.notes.empty());
      CHECK(difference(picture, [&](Index x, Index y, Index) {
              const double grey = std::round(white * shade(x, y, 0)) / white;
              return white_at_0 ? 1 - grey : grey;
            }) < 0.002);
    }
}

TEST_CASE("a camera's 8, 10, 12 and 14 bits in a wider type are seen and said") {
  for (const int depth : {8, 10, 12, 14})
    for (const int type : {0, 1, 2, 3}) {
      const bool sign = type % 2 != 0;
      const Page page = rgb(type < 2 ? 16 : 32, std::exp2(depth) - 1, sign ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT);
      const Picture picture = decode(tiff_of(page));
      INFO(depth << " bits, type " << type);
      CHECK(picture.bits() == 16);
      CHECK(difference(picture, shade) < 0.003);
      CHECK(holds(notes_of(picture), std::to_string(depth) + " bits in " + (type < 2 ? "16" : "32")));
    }
  // Of a picture without its brightest places the depth still is the smallest that holds the values.
  CHECK(holds(notes_of(decode(tiff_of(values(16, 0, 1500)))), "12 bits in 16: values up to 4095 stand for white"));
  // A 16-bit picture is left alone, also a dim one.
  for (const double most : {16384.0, 40000.0, 65535.0}) {
    const Picture picture = decode(tiff_of(values(16, 0, most)));
    CHECK(picture.notes.empty());
    CHECK(difference(picture, [&](Index x, Index y, Index c) { return most / 65535 * shade(x, y, c); }) < 2e-5);
  }
}

TEST_CASE("the whole range of signed and 32-bit numbers") {
  const Picture signed16 = decode(tiff_of(values(16, 0, 32767, SAMPLEFORMAT_INT)));
  CHECK(difference(signed16, shade) < 1e-4);
  CHECK(holds(notes_of(signed16), "16 bits with sign: values up to 32767 stand for white"));
  CHECK(difference(decode(tiff_of(values(32, 0, 4294967295.0))), shade) < 1e-4);
  CHECK(difference(decode(tiff_of(values(32, 0, 2147483647.0, SAMPLEFORMAT_INT))), shade) < 1e-4);
  CHECK(difference(decode(tiff_of(values(32, 0, 65535))), shade) < 1e-4);
}

TEST_CASE("floating-point values of 0 to 1, 0 to 255, 0 to 65535") {
  for (const int bits : {32, 64})
    for (const double white : {1.0, 255.0, 4095.0, 65535.0}) {
      const Picture picture = decode(tiff_of(values(bits, 0, white, SAMPLEFORMAT_IEEEFP)));
      INFO(bits << " bits to " << white);
      CHECK(picture.bits() == 16);
      CHECK(difference(picture, shade) < 2e-5);
      CHECK(picture.notes.empty() == (white == 1));
    }
  const Picture over = decode(tiff_of(values(32, -0.02, 1.03, SAMPLEFORMAT_IEEEFP)));  // of a resampler
  CHECK((difference(over, shade) < 0.04 && over.notes.empty()));
}

TEST_CASE("values that are no brightness, and ranges that cannot be told, are errors with a way out") {
  const auto error = [](const Page& page) { return refusal(tiff_of(page)); };
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf}) {
    Page page = values(32, 0, 1, SAMPLEFORMAT_IEEEFP);
    page.samples = [=](Index x, Index y, Index c) { return x == 7 && y == 8 && c == 1 ? bad : shade(x, y, c); };
    CHECK(holds(error(page), "no finite numbers"));
  }
  for (const Page& page : {values(16, -300, 4000, SAMPLEFORMAT_INT), values(32, -1, 1, SAMPLEFORMAT_IEEEFP),
                           values(32, -5, 4000, SAMPLEFORMAT_INT)})
    CHECK(holds(error(page), "negative values are no brightness: save it with 8 bits"));
  for (const Page& page : {values(32, 0, 3, SAMPLEFORMAT_IEEEFP), values(32, 0, 1e6, SAMPLEFORMAT_IEEEFP),
                           values(32, 0, 16777215), values(32, 0, 16777215, SAMPLEFORMAT_INT)})
    CHECK(holds(error(page), "what stands for white cannot be told"));
  CHECK(holds(error({.format = SAMPLEFORMAT_INT}), "signed samples of 8 bits"));
  // Darkness is no error.
  CHECK(difference(decode(tiff_of(values(16, 0, 0))), [](Index, Index, Index) { return 0; }) == 0);
  CHECK(holds(notes_of(decode(tiff_of(values(16, 0, 90)))), "black: 16, no value above 90"));
}

TEST_CASE("a declared depth counts where the values keep to it") {
  Page page = values(16, 0, 900);
  page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_MAXSAMPLEVALUE, 4095); };
  const Picture picture = decode(tiff_of(page));
  CHECK(difference(picture, [](Index x, Index y, Index c) { return 900 / 4095.0 * shade(x, y, c); }) < 0.001);
  CHECK(holds(notes_of(picture), "12 bits in 16, as the file says"));
  page = values(16, 0, 65535);
  page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_MAXSAMPLEVALUE, 4095); };
  CHECK(difference(decode(tiff_of(page)), shade) < 2e-5);
  page = values(16, -32768, 32767, SAMPLEFORMAT_INT);
  page.more_tags = [](TIFF* t) {
    TIFFSetField(t, TIFFTAG_SMINSAMPLEVALUE, -32768.0);
    TIFFSetField(t, TIFFTAG_SMAXSAMPLEVALUE, 32767.0);
  };
  const Picture shifted = decode(tiff_of(page));
  CHECK(difference(shifted, shade) < 2e-5);
  CHECK(holds(notes_of(shifted), "values from -32768 (black)"));
}

TEST_CASE("alpha is laid over white where it is declared, and keeps 16 bits") {
  for (const int bits : {8, 16})
    for (const bool premultiplied : {false, true})
      for (const Index colours : {Index{1}, Index{3}}) {
        const double white = bits == 8 ? 255 : 65535;
        const auto alpha = [](Index x, Index y) { return shade(x, y, 3); };
        Page page{.channels = colours + 1, .bits = bits};
        page.photometric = colours == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
        page.extras = {static_cast<std::uint16_t>(premultiplied ? EXTRASAMPLE_ASSOCALPHA : EXTRASAMPLE_UNASSALPHA)};
        page.samples = [=](Index x, Index y, Index c) {
          if (c == colours) return std::round(white * alpha(x, y));
          return std::round(white * shade(x, y, c) * (premultiplied ? alpha(x, y) : 1));
        };
        const Picture picture = decode(tiff_of(page));
        INFO(bits << " bits, premultiplied " << premultiplied << ", colours " << colours);
        CHECK((picture.bits() == bits && picture.notes.empty()));
        CHECK(difference(picture, [&](Index x, Index y, Index c) {
                return alpha(x, y) * shade(x, y, colours == 3 ? c : 0) + 1 - alpha(x, y);
              }) < 1.01 / white);
      }
}

TEST_CASE("alpha of 0 everywhere, and channels that the file does not explain") {
  Page page{.channels = 4};
  const auto with_fourth = [](double fourth) {
    return [=](Index x, Index y, Index c) { return c == 3 ? fourth : 255 * shade(x, y, c); };
  };
  page.extras = {EXTRASAMPLE_UNASSALPHA}, page.samples = with_fourth(0);
  const Picture empty = decode(tiff_of(page));
  CHECK((difference(empty, shade) < 1e-9 && holds(notes_of(empty), "alpha is 0 everywhere")));

  for (const bool tagged : {true, false}) {
    page.extras.clear();
    if (tagged) page.extras = {EXTRASAMPLE_UNSPECIFIED};
    page.samples = with_fourth(255);
    const Picture full = decode(tiff_of(page));
    CHECK((difference(full, shade) < 1e-9 && full.notes.empty()));
    page.samples = shades(255);
    const Picture infrared = decode(tiff_of(page));
    CHECK((difference(infrared, shade) < 1e-9 && holds(notes_of(infrared), "channel 4 of 4 is not said to be alpha")));
  }
  page = {.channels = 5, .extras = {EXTRASAMPLE_UNASSALPHA, EXTRASAMPLE_UNSPECIFIED}};
  page.samples = [](Index x, Index y, Index c) { return c == 3 ? 255 : 255 * shade(x, y, c); };
  CHECK(holds(notes_of(decode(tiff_of(page))), "channel 5 of 5"));

  const auto error = [](Index channels, int photometric) {
    return refusal(tiff_of(Page{.channels = channels, .photometric = photometric}));
  };
  CHECK(holds(error(2, PHOTOMETRIC_MINISBLACK), "2 channels"));
  CHECK(holds(error(3, PHOTOMETRIC_MINISBLACK), "3 channels"));
  CHECK(holds(error(5, PHOTOMETRIC_MINISBLACK), "5 channels"));
  CHECK(
      holds(error(5, PHOTOMETRIC_RGB), "5 channels, of which the file does not say what they are, wanted grey or RGB"));
  CHECK(holds(error(40, PHOTOMETRIC_MINISBLACK), "40 channels"));
}

TEST_CASE("12 bits in 16 with alpha of 12 or of 16 bits") {
  for (const double alpha_white : {4095.0, 65535.0}) {
    Page page{.channels = 4, .bits = 16, .extras = {EXTRASAMPLE_UNASSALPHA}};
    page.samples = [=](Index x, Index y, Index c) { return (c == 3 ? alpha_white : 4095) * shade(x, y, c); };
    CHECK(difference(decode(tiff_of(page)), [](Index x, Index y, Index c) {
            return shade(x, y, 3) * shade(x, y, c) + 1 - shade(x, y, 3);
          }) < 0.002);
  }
}

TEST_CASE("palette, CMYK, YCbCr and CIELAB become RGB") {
  std::vector<std::uint16_t> red(256), green(256), blue(256);
  for (const int step : {257, 1}) {  // words, and bytes as some write
    for (int i = 0; i < 256; ++i) {
      const auto at = static_cast<std::size_t>(i);
      red[at] = static_cast<std::uint16_t>(step * i), green[at] = static_cast<std::uint16_t>(step * (255 - i));
      blue[at] = static_cast<std::uint16_t>(step * (i / 2));
    }
    Page page{.channels = 1, .photometric = PHOTOMETRIC_PALETTE};
    page.more_tags = [&](TIFF* t) { TIFFSetField(t, TIFFTAG_COLORMAP, red.data(), green.data(), blue.data()); };
    CHECK(difference(decode(tiff_of(page)), [](Index x, Index y, Index c) {
            const int i = static_cast<int>(std::lround(255 * shade(x, y, 0)));
            return (c == 0 ? i : c == 1 ? 255 - i : i / 2) / 255.0;
          }) < 1e-9);
  }
  for (const int bits : {8, 16}) {
    Page page{.channels = 4, .bits = bits, .photometric = PHOTOMETRIC_SEPARATED};
    page.samples = shades(bits == 8 ? 255 : 65535);
    CHECK(difference(decode(tiff_of(page)),
                     [](Index x, Index y, Index c) { return (1 - shade(x, y, c)) * (1 - shade(x, y, 3)); }) < 0.003);
    page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_INKSET, INKSET_MULTIINK); };
    CHECK(holds(refusal(tiff_of(page)), "inks that are not CMYK"));
  }
  // sRGB (192, 80, 144) is L* 50.89, a* 50.75, b* -12.28 for D50.
  for (const int bits : {8, 16}) {
    Page page{.bits = bits, .photometric = PHOTOMETRIC_CIELAB};
    page.samples = [=](Index, Index, Index c) {
      const double lab[] = {50.89, 50.75, -12.28};
      return std::round(c == 0 ? lab[c] / 100 * (bits == 8 ? 255 : 65535) : lab[c] * (bits == 8 ? 1 : 256));
    };
    const Picture picture = decode(tiff_of(page));
    const double expected[] = {192 / 255.0, 80 / 255.0, 144 / 255.0};
    INFO(value_at(picture, 3, 3, 0) << " " << value_at(picture, 3, 3, 1) << " " << value_at(picture, 3, 3, 2));
    CHECK(picture.bits() == bits);
    CHECK(difference(picture, [&](Index, Index, Index c) { return expected[c]; }) < 0.01);
  }
  Page ycc{.photometric = PHOTOMETRIC_YCBCR};
  ycc.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_YCBCRSUBSAMPLING, 1, 1); };
  ycc.samples = [](Index, Index, Index c) { return c == 0 ? 120 : c == 1 ? 140 : 160; };
  const double light[] = {164.9 / 255, 93.0 / 255, 141.3 / 255};
  CHECK(difference(decode(tiff_of(ycc)), [&](Index, Index, Index c) { return light[c]; }) < 0.01);
  CHECK(holds(refusal(tiff_of(Page{.bits = 16, .photometric = PHOTOMETRIC_LOGLUV})), "colours of kind 32845"));
}

TEST_CASE("an 8-bit picture holds 3 bytes a pixel, and its view is what detectors take") {
  const Picture picture = decode(tiff_of(Page{}));
  CHECK(std::get<Picture::Bytes>(picture.pixels).size() == 19 * 13 * 3);
  const data::ImageView view = picture.view();
  view.check();
  CHECK((view.height == 13 && view.width == 19 && view.channels == 3 && view.bytes == 1));
  CHECK(view.row<std::uint8_t>(2)[3 * 4 + 1] == value_at(picture, 4, 2, 1));
  CHECK((picture.where == "picture" && picture.format == "TIFF"));
}

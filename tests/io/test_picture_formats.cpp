#include <fstream>

#include <sys/stat.h>
#include <zlib.h>

#include "nucdet/io/image.hpp"

#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

std::string big_endian(std::size_t value) {
  std::string text;
  for (int i = 3; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}
std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  return big_endian(data.size()) + body +
         big_endian(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
}
std::string zipped(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()),
            static_cast<uLong>(data.size()), 9);
  return out.substr(0, size);
}

/// Grey or RGB of 16 bits; `more` are chunks before the pixels.
std::string png16(int colour, const Samples& samples, const std::string& more = "") {
  const Index channels = colour == 0 ? 1 : colour == 2 ? 3 : colour == 4 ? 2 : 4;
  std::string rows;
  for (Index y = 0; y < 13; ++y) {
    rows += '\0';
    for (Index x = 0; x < 19; ++x)
      for (Index c = 0; c < channels; ++c) {
        const auto value = static_cast<unsigned>(samples(x, y, c));
        rows += static_cast<char>(value >> 8), rows += static_cast<char>(value);
      }
  }
  const std::string header = big_endian(19) + big_endian(13) + std::string{16, static_cast<char>(colour), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + more + chunk("IDAT", zipped(rows)) + chunk("IEND", "");
}

/// The most memory of this process since the last call to forget_peak, in MB; 0 where the system does not say.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  return 0;
}
bool forget_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return static_cast<bool>(file);
}

}  // namespace

TEST_CASE("PNG of 16 bits: a camera's depth, with and without alpha") {
  const Picture deep = decode(png16(2, shades(65535)));
  CHECK((deep.bits() == 16 && deep.notes.empty() && difference(deep, shade) < 1e-9 && deep.format == "PNG"));
  for (const int bits : {8, 10, 12, 14}) {
    const Picture picture = decode(png16(2, shades(std::exp2(bits) - 1)));
    CHECK(difference(picture, shade) < 0.003);
    CHECK(holds(notes_of(picture), std::to_string(bits) + " bits in 16"));
  }
  const Picture said = decode(png16(2, shades(900), chunk("sBIT", "\x0C\x0C\x0C")));
  CHECK(holds(notes_of(said), "12 bits in 16, as the file says"));
  const auto empty_alpha = [](Index x, Index y, Index c) { return c == 3 ? 0 : 4095 * shade(x, y, c); };
  const Picture ignored = decode(png16(6, empty_alpha));
  CHECK(difference(ignored, shade) < 0.001);
  CHECK((holds(notes_of(ignored), "alpha is 0 everywhere") && holds(notes_of(ignored), "12 bits in 16")));
  const Picture grey = decode(png16(4, [](Index x, Index y, Index c) { return 65535 * shade(x, y, c); }));
  CHECK(difference(grey, [](Index x, Index y, Index) { return shade(x, y, 1) * shade(x, y, 0) + 1 - shade(x, y, 1); }) <
        1e-4);
}

TEST_CASE("PNG with transparent palette entries and a transparent colour") {
  std::string palette, alpha, rows;
  for (int i = 0; i < 13; ++i) {
    palette += {static_cast<char>(20 * i), static_cast<char>(250 - 20 * i), 7};
    alpha += static_cast<char>(21 * i);
    rows += '\0' + std::string(19, static_cast<char>(i));
  }
  const auto png8 = [&](int colour, const std::string& more) {
    const std::string header = big_endian(19) + big_endian(13) + std::string{8, static_cast<char>(colour), 0, 0, 0};
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + more + chunk("IDAT", zipped(rows)) + chunk("IEND", "");
  };
  const Picture looked_up = decode(png8(3, chunk("PLTE", palette) + chunk("tRNS", alpha)));
  CHECK(difference(looked_up, [](Index, Index y, Index c) {
          const double row = static_cast<double>(y), a = 21 * row / 255;
          return a * (c == 0 ? 20 * row : c == 1 ? 250 - 20 * row : 7) / 255 + 1 - a;
        }) < 0.003);
  const Picture grey = decode(png8(0, chunk("tRNS", std::string("\0\x05", 2))));
  CHECK(difference(grey, [](Index, Index y, Index) { return y == 5 ? 1 : static_cast<double>(y) / 255; }) < 1e-9);
}

TEST_CASE("um per pixel by pHYs and by JFIF") {
  const auto with = [](std::size_t x, std::size_t y, char unit) {
    return decode(png16(2, shades(65535), chunk("pHYs", big_endian(x) + big_endian(y) + unit))).pixel_size;
  };
  const io::PixelSize size = with(2000000, 4000000, 1);
  CHECK((size.x == Approx(0.5) && size.y == Approx(0.25) && size.source == "PNG pHYs"));
  CHECK(!with(2000000, 2000000, 0).known());
  CHECK(!with(2835, 2835, 1).known());  // 72 dpi
  CHECK(!with(0, 0, 1).known());

  std::string jpeg = contents_of(kImages / "shades.jpg");
  REQUIRE(jpeg.substr(6, 4) == "JFIF");
  jpeg[13] = 2, jpeg[14] = 0x4E, jpeg[15] = 0x20, jpeg[16] = 0x27, jpeg[17] = 0x10;  // 20000 and 10000 a centimetre
  const Picture picture = decode(jpeg);
  CHECK((picture.pixel_size.x == Approx(0.5) && picture.pixel_size.y == Approx(1)));
  CHECK(picture.pixel_size.source == "JFIF density");
  jpeg[13] = 1, jpeg[14] = 0, jpeg[15] = 72, jpeg[16] = 0, jpeg[17] = 72;
  CHECK(!decode(jpeg).pixel_size.known());
}

TEST_CASE("JPEG 2000 and WebP, with and without alpha") {
  const auto over_white = [](Index x, Index y, Index c) {
    return shade(x, y, 3) * shade(x, y, c) + 1 - shade(x, y, 3);
  };
  for (const char* name : {"rgb8.jp2", "rgb8.j2k", "rgba8.jp2", "grey8.jp2", "rgb8.webp", "rgba8.webp"}) {
    INFO(name);
    const std::string bytes = contents_of(kImages / name), error = refusal(bytes);
    if (holds(error, "was built without")) continue;  // a build without the library says so
    CHECK(error.empty());
    const Picture picture = decode(bytes);
    CHECK(picture.format == (holds(name, "webp") ? "WebP" : "JPEG 2000"));
    if (holds(name, "rgba"))
      CHECK(difference(picture, over_white) < 0.003);
    else if (holds(name, "grey"))
      CHECK(difference(picture, [](Index x, Index y, Index) { return shade(x, y, 0); }) < 1e-9);
    else
      CHECK(difference(picture, shade) < 1e-9);
    CHECK(holds(refusal(bytes, {.pixels = 246}), "19 x 13 pixels, at most 246"));
  }
}

TEST_CASE("JPEG 2000: a header cannot ask for memory that its pixels do not need") {
  std::string bytes = contents_of(kImages / "rgb8.j2k");
  if (!refusal(bytes).empty()) return;  // a build without OpenJPEG
  std::string tiles = bytes;
  tiles.replace(8, 8, big_endian(250) + big_endian(250)).replace(24, 8, big_endian(1) + big_endian(1));
  CHECK(holds(refusal(tiles), "in tiles of 1 x 1"));
  bytes.replace(40, 2, "\x40\x01");
  CHECK(holds(refusal(bytes), "16385 channels"));
  CHECK(holds(refusal(bytes.substr(0, 30)), "truncated"));
}

TEST_CASE("JPEG 2000 in TIFF, by Aperio's numbers") {
  const std::string stream = contents_of(kImages / "rgb8.j2k");
  for (const int compression : {33005, 34712}) {
    Page page;
    page.compression = COMPRESSION_NONE;
    std::string bytes = tiff_of(page, "wl");
    // The strips of the file become one, of the code stream at the file's end; libtiff has no encoder for it.
    const std::size_t at = bytes.size();
    bytes += stream;
    std::uint32_t directory = 0;
    std::memcpy(&directory, bytes.data() + 4, 4);
    std::uint16_t entries = 0;
    std::memcpy(&entries, bytes.data() + directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      char* const entry = bytes.data() + directory + 2 + 12 * i;
      std::uint16_t tag = 0, type = 4;
      std::memcpy(&tag, entry, 2);
      const std::uint32_t one = 1;
      const auto set = [&](std::size_t value) {
        const auto number = static_cast<std::uint32_t>(value);
        std::memcpy(entry + 2, &type, 2), std::memcpy(entry + 4, &one, 4), std::memcpy(entry + 8, &number, 4);
      };
      if (tag == TIFFTAG_STRIPOFFSETS) set(at);
      if (tag == TIFFTAG_STRIPBYTECOUNTS) set(stream.size());
      if (tag == TIFFTAG_ROWSPERSTRIP) set(13);
      if (tag == TIFFTAG_COMPRESSION) type = 3, set(static_cast<std::size_t>(compression));
    }
    const std::string error = refusal(bytes);
    if (holds(error, "was built without")) continue;
    INFO(error);
    REQUIRE(error.empty());
    CHECK(difference(decode(bytes), shade) < 1e-9);
    CHECK(holds(refusal(bytes.substr(0, bytes.size() - 300)), "truncated"));
  }
}

TEST_CASE("files cut short say that they are truncated") {
  for (const char* name : {"rgb8.png", "rgb8-interlaced.png", "rgb16.png", "shades.jpg", "rgb8.webp"}) {
    const std::string bytes = contents_of(kImages / name), error = refusal(bytes.substr(0, bytes.size() * 2 / 3));
    INFO(name << ": " << error);
    CHECK((holds(error, "truncated") || holds(error, "was built without")));
  }
  Page page{.compression = COMPRESSION_JPEG};
  page.tile = 16;
  page.samples = [](Index x, Index y, Index) { return (x * 97 + y * 57) % 256; };
  std::string bytes = tiff_of(page);
  REQUIRE(refusal(bytes).empty());
  std::fill(bytes.begin() + 900, bytes.begin() + 1400, '\0');
  CHECK(!refusal(bytes).empty());
}

TEST_CASE("a format that is not read is named, with a way out") {
  const std::string zeros(128, '\0');
  const std::pair<std::string, const char*> kinds[] = {{"BM6", "a BMP picture"},
                                                       {"GIF89a", "a GIF picture"},
                                                       {std::string("\0\0\0\x18", 4) + "ftypheic", "a HEIC picture"},
                                                       {zeros + "DICM", "a DICOM file"},
                                                       {"ZISRAWFILE", "a Zeiss CZI slide"},
                                                       {"\x93NUMPY\x01", "a NumPy array"},
                                                       {"%PDF-1.7", "a PDF document"},
                                                       {"\x1f\x8b\x08", "a gzip archive"},
                                                       {"PK\x03\x04", "a zip archive"},
                                                       {"<!DOCTYPE html><p>404", "an HTML page"},
                                                       {"<html>403</html>", "an HTML page"},
                                                       {"<?xml?><svg>", "an SVG drawing"},
                                                       {"{\"a\": 1}", "a JSON text"},
                                                       {"x,y\n1,2\n", "a text"},
                                                       {"\x89PNG\r\n", "a PNG picture that is damaged"},
                                                       {"\x89PNG\n\x1a\nIHDR", "a PNG picture that is damaged"},
                                                       {"P6 2 2 255\n", "a PNM picture"},
                                                       {"\x01\x02\x03", "of a format that is not known"}};
  for (const auto& [bytes, name] : kinds) {
    const std::string error = refusal(bytes);
    INFO(error);
    CHECK(holds(error, std::string("picture: is ") + name));
    CHECK(holds(error, "format"));
    CHECK(holds(error, "wanted PNG, JPEG, TIFF, JPEG 2000 or WebP: "));
  }
  CHECK(holds(refusal(""), "is empty"));
  std::string slide = tiff_of(Page{}, "wl");
  CHECK(holds(error_of<IoError>([&] { io::decode_picture(std::as_bytes(std::span(slide)), "a.vsi"); }), "Olympus VSI"));
  const std::string sample_format("\x53\x01\x03\x00", 4);  // the last tag becomes one of Hamamatsu's
  slide.replace(slide.find(sample_format), 2, "\x8C\xFF");
  CHECK(holds(refusal(slide), "a Hamamatsu NDPI slide"));
}

TEST_CASE("what only goes by a scanner's name is no picture, unless its page is asked for") {
  const TemporaryFolder folder;
  const std::string bytes = tiff_of(Page{});
  for (const char* name : {"a.mrxs", "b.VSI", "c.vms", "d.svslide", "e.ndpi", "f.svs", "g.bif"})
    put(folder / name, bytes);
  const auto refused = [&](const char* name) { return error_of<IoError>([&] { io::read_picture(folder / name); }); };
  CHECK(holds(refused("a.mrxs"), "a.mrxs: is a 3DHISTECH MRXS slide by its name: slides are for nucdet detect"));
  CHECK(holds(refused("b.VSI"), "is an Olympus VSI slide by its name"));
  CHECK((holds(refused("c.vms"), "Hamamatsu VMS") && holds(refused("d.svslide"), "Sakura")));
  CHECK(holds(refused("e.ndpi"), "is a Hamamatsu NDPI slide by its name"));
  CHECK(holds(refused("g.bif"), "is a Ventana BIF slide by its name"));
  CHECK(holds(refused("g.bif"), "if it is a picture, call it .tif"));
  CHECK(io::read_picture(folder / "e.ndpi", {.page = 1}).width == 19);
  CHECK(io::read_picture(folder / "f.svs").width == 19);  // the largest picture of an SVS is the slide itself
  put(folder / "h.ndpi", "\xff\xd8\xff");
  CHECK(holds(refused("h.ndpi"), "is a Hamamatsu NDPI slide by its name"));
  CHECK(io::read_picture(folder / "a.mrxs", {.page = 1}).width == 19);
}

TEST_CASE("texts and profiles of a PNG are passed over, not unpacked") {
  if (!forget_peak()) return;
  const double before = peak_memory();
  const std::string text = chunk("zTXt", std::string("Comment\0\0", 9) + zipped(std::string(7 << 20, 'x')));
  std::string texts;
  for (int i = 0; i < 300; ++i) texts += text;
  texts += chunk("iCCP", std::string("p\0\0", 3) + zipped(std::string(60 << 20, 'x')));
  const std::string bytes = png16(2, shades(65535), texts);
  forget_peak();
  CHECK(difference(decode(bytes), shade) < 1e-9);
  INFO(before << " MB before, then " << peak_memory());
  CHECK(peak_memory() < before + 500);  // of 2100; a sanitizer keeps some of what was freed
}

TEST_CASE("reading takes the memory of the picture, and no second copy") {
  const TemporaryFolder folder;
  // 24 megapixels, in one strip, as many programs write it: 72 MB.
  TIFF* const tiff = TIFFOpen((folder / "a.tif").c_str(), "w");
  Page page{.width = 6000, .height = 4000, .compression = COMPRESSION_ADOBE_DEFLATE};
  page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 4000); };
  set_tags(tiff, page);
  std::vector<std::uint8_t> row(18000, 200);
  for (std::uint32_t y = 0; y < 4000; ++y) TIFFWriteScanline(tiff, row.data(), y, 0);
  TIFFClose(tiff);
  if (!forget_peak()) return;
  const double before = peak_memory();
  const Picture picture = io::read_picture(folder / "a.tif");
  CHECK((picture.width == 6000 && value_at(picture, 5999, 3999, 2) == 200));
  INFO(before << " MB before, then " << peak_memory());
  CHECK(peak_memory() < before + 72 + 40);
}

TEST_CASE("pictures are read from what is no regular file, too") {
  const TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string(), bytes = contents_of(kImages / "rgb8.png");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  REQUIRE(std::system(("cat " + (kImages / "rgb8.png").string() + " > " + pipe + " &").c_str()) == 0);
  CHECK(difference(io::read_picture(pipe), shade) < 1e-9);
  CHECK(holds(error_of<IoError>([&] { io::read_picture(folder.path()); }), "is a folder"));
  CHECK(holds(error_of<IoError>([&] { io::read_picture(folder / "none.png"); }), "cannot be opened"));
  const Image image = io::to_image(decode(bytes));
  CHECK(image(3, 4, 1) == static_cast<float>((13 * 4 + 29 * 3 + 71) % 256) / 255.0f);
}

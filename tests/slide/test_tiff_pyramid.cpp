#include <fstream>

#include <unistd.h>

#include "slide/giant_slide.hpp"
#include "slide/slides.hpp"
#include "slide/tiff_pyramid.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;
using slide::detail::TiffPyramid;

namespace {

/// Smooth, so that JPEG keeps it, and without symmetry; from 0 to 1.
double smooth(double x, double y, Index c) {
  return 0.5 + 0.3 * std::sin(x / 23 + static_cast<double>(c)) + 0.2 * std::cos(y / 17 - static_cast<double>(c));
}

struct Kind {
  std::string name;
  Page page;
  double slack;  ///< of 255
};

Page level(Page page, Index width, Index height, double downsample, double white = 255) {
  page.width = width, page.height = height;
  page.samples = [=](Index x, Index y, Index c) {
    return std::round(white * smooth(static_cast<double>(x) * downsample, static_cast<double>(y) * downsample, c));
  };
  return page;
}

/// Three levels, 331 x 250 at the finest, of 48-pixel tiles unless the page says otherwise.
std::vector<Page> three_levels(Page page = {}, double white = 255) {
  if (page.tile == 0) page.tile = 48;
  return {level(page, 331, 250, 1, white), level(page, 165, 125, 2, white), level(page, 41, 31, 8, white)};
}

void as_subifds(std::vector<Page>& pages) {
  const auto more = pages[0].more_tags;
  const auto count = static_cast<int>(pages.size()) - 1;
  pages[0].more_tags = [=](TIFF* t) {
    if (more) more(t);
    std::vector<std::uint64_t> places(static_cast<std::size_t>(count));
    TIFFSetField(t, TIFFTAG_SUBIFD, count, places.data());
  };
}
std::function<void(TIFF*)> description(std::string text) {
  return [=](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, text.c_str()); };
}

struct File {
  explicit File(const std::string& bytes) { put(path, bytes); }
  explicit File(const std::vector<Page>& pages, const char* mode = "w") : File(tiff_of(pages, mode)) {}
  TemporaryFolder folder;
  std::filesystem::path path = folder / "slide.tif";
  Slide slide() const { return Slide(TiffPyramid(path)); }
};

std::string refusal_of(const std::vector<Page>& pages) {
  const File file(pages);
  return error_of<IoError>([&] { file.slide(); });
}

std::vector<Kind> kinds() {
  std::vector<Kind> all = {{"bare", {}, 0}};
  const auto add = [&](std::string name, double slack, const std::function<void(Page&)>& change) {
    Page page;
    change(page);
    all.push_back({std::move(name), page, slack});
  };
  add("lzw", 0, [](Page& p) { p.compression = COMPRESSION_LZW; });
  add("deflate, separate planes", 0, [](Page& p) { p.compression = COMPRESSION_ADOBE_DEFLATE, p.separate = true; });
  add("jpeg", 6, [](Page& p) { p.compression = COMPRESSION_JPEG; });
  add("jpeg, YCbCr", 30, [](Page& p) {
    p.compression = COMPRESSION_JPEG, p.photometric = PHOTOMETRIC_YCBCR;
    p.more_tags = [](TIFF* t) {
      TIFFSetField(t, TIFFTAG_YCBCRSUBSAMPLING, 2, 2);
      TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      TIFFSetField(t, TIFFTAG_JPEGQUALITY, 95);
    };
  });
  if (TIFFIsCODECConfigured(COMPRESSION_WEBP) != 0)
    add("webp", 0, [](Page& p) {
      p.compression = COMPRESSION_WEBP;
      p.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_WEBP_LOSSLESS, 1); };
    });
  for (Kind& kind : all)
    if (kind.page.compression == COMPRESSION_JPEG) kind.page.tile = 64;
  return all;
}

}  // namespace

TEST_CASE("every kind of tile is read, at every level, in any rectangle, by four threads") {
  for (const Kind& kind : kinds())
    for (const bool within : {false, true}) {
      INFO(kind.name << (within ? ", SubIFDs" : ", pages"));
      std::vector<Page> pages = three_levels(kind.page);
      if (within) as_subifds(pages);
      const File file(pages, within ? "w8" : "wb");
      const Slide slide = file.slide();
      REQUIRE(slide.levels().size() == 3);
      CHECK((slide.width() == 331 && slide.height() == 250 && slide.bounds() == Rectangle{0, 0, 331, 250}));
      CHECK(slide.levels()[1].downsample_x == Approx(331.0 / 165));
      CHECK(slide.levels()[2].tile_width == (kind.page.tile == 0 ? 48 : kind.page.tile));
      for (Index k = 0; k < 3; ++k) {
        const double step = k == 0 ? 1 : k == 1 ? 2 : 8;
        CHECK(difference(slide, k, [&](Index x, Index y, Index c) {
                return std::round(255 * smooth(static_cast<double>(x) * step, static_cast<double>(y) * step, c)) / 255;
              }) <= kind.slack + 1e-6);
        CHECK(differing_parts(slide, k, 40) == 0);
      }
    }
}

TEST_CASE("grey, palettes' neighbours and 16 bits become 8 bits of RGB, by one range for the whole file") {
  std::vector<Page> grey = three_levels({.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK});
  CHECK(difference(File(grey).slide(), 0, [](Index x, Index y, Index) {
          return std::round(255 * smooth(static_cast<double>(x), static_cast<double>(y), 0)) / 255;
        }) < 1e-6);
  const auto expected = [](Index x, Index y, Index c) {
    return smooth(static_cast<double>(x), static_cast<double>(y), c);
  };
  for (const double white : {4095.0, 65535.0}) {  // of a camera of 12 bits, and all of 16
    const File deep(three_levels({.bits = 16}, white));
    CHECK(difference(deep.slide(), 0, expected) < 0.6);
    CHECK(differing_parts(deep.slide(), 0, 40) == 0);
  }
  // Dark and bright tiles keep their difference: one that has none of the bright values is not stretched.
  Page dark{.width = 96, .height = 48, .bits = 16, .tile = 48};
  dark.samples = [](Index x, Index, Index) { return x < 48 ? 500 : 4000; };
  CHECK(difference(File(std::vector{dark}).slide(), 0,
                   [](Index x, Index, Index) { return (x < 48 ? 500 : 4000) / 4095.0; }) < 0.6);
}

TEST_CASE("what is transparent is white, and alpha that is 0 everywhere does not count") {
  Page page{.width = 96, .height = 96, .channels = 4, .tile = 48, .extras = {EXTRASAMPLE_UNASSALPHA}};
  page.samples = [](Index x, Index, Index c) { return c < 3 ? 100 : x < 48 ? 0 : 255; };
  CHECK(difference(File(std::vector{page}).slide(), 0,
                   [](Index x, Index, Index) { return (x < 48 ? 255 : 100) / 255.0; }) < 1e-6);
  page.samples = [](Index, Index, Index c) { return c < 3 ? 100 : 0; };
  CHECK(difference(File(std::vector{page}).slide(), 0, [](Index, Index, Index) { return 100 / 255.0; }) < 1e-6);
}

TEST_CASE("levels are the pages of the same field; stripped ones, masks and others are none") {
  std::vector<Page> pages = three_levels();
  Page thumbnail = level({}, 83, 62, 4);  // in strips
  Page macro = level({.tile = 48}, 200, 90, 1);
  Page mask = level({.tile = 48}, 110, 83, 3);
  mask.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_MASK); };
  macro.more_tags = description("The macro picture");
  pages.insert(pages.begin() + 1, thumbnail);
  pages.push_back(macro);
  pages.push_back(mask);
  std::swap(pages[2], pages[3]);  // in any order
  const File file(pages);
  const Slide slide = file.slide();
  REQUIRE(slide.levels().size() == 3);
  CHECK((slide.levels()[1].width == 165 && slide.levels()[2].width == 41));
  CHECK(slide.associated() == std::vector<std::string>{"macro"});
  CHECK(slide.read_associated("macro").width == 200);
  CHECK(holds(error_of<IoError>([&] { slide.read_associated("label"); }), "has no picture 'label'"));
}

TEST_CASE("Aperio's pages: the thumbnail after the slide, label and macro by their text, um per pixel") {
  std::vector<Page> pages = three_levels();
  pages[0].more_tags = description("Aperio Image Library v1\r\n331x250 (48x48) JPEG|AppMag = 20|MPP = 0.4990");
  Page thumbnail = level({}, 83, 62, 4), label = level({}, 60, 50, 1);
  thumbnail.more_tags = description("Aperio Image Library v1\r\n331x250 -> 83x62 - ");
  label.more_tags = description("Aperio Image Library v1\r\nlabel 60x50");
  pages.insert(pages.begin() + 1, thumbnail);
  pages.push_back(label);
  const File file(pages);
  const Slide slide = file.slide();
  CHECK(slide.levels().size() == 3);
  CHECK(slide.associated() == std::vector<std::string>{"label", "thumbnail"});
  CHECK(slide.read_associated("thumbnail").width == 83);
  CHECK((slide.pixel_size().x == Approx(0.499) && slide.pixel_size().source == "Aperio MPP"));
  CHECK(slide.read(1, {0, 0, 5, 5}).pixel_size.x == Approx(0.499 * 331 / 165));
}

TEST_CASE("OME's planes in pages with SubIFDs of their own are joined at every level") {
  std::vector<Page> pages;
  for (Index c = 0; c < 3; ++c) {
    std::vector<Page> plane = three_levels({.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK});
    for (std::size_t k = 0; k < 3; ++k)
      plane[k].samples = [s = plane[k].samples, c](Index x, Index y, Index) { return s(x, y, c); };
    if (c == 0)
      plane[0].more_tags = description(
          "<?xml version=\"1.0\"?><OME><Image><Pixels SizeX=\"331\" SizeY=\"250\" SizeC=\"3\" SizeZ=\"1\" SizeT=\"1\" "
          "PhysicalSizeX=\"0.5\" PhysicalSizeY=\"0.25\"/></Image></OME>");
    as_subifds(plane);
    pages.insert(pages.end(), plane.begin(), plane.end());
  }
  const File file(pages);
  const std::string refused = error_of<IoError>([&] { file.slide(); });
  if (holds(refused, "pugixml")) return;  // what a build without it says
  const Slide slide = file.slide();
  REQUIRE(slide.levels().size() == 3);
  CHECK((slide.pixel_size().x == 0.5 && slide.pixel_size().y == 0.25));
  CHECK(difference(slide, 1, [](Index x, Index y, Index c) {
          return std::round(255 * smooth(2.0 * static_cast<double>(x), 2.0 * static_cast<double>(y), c)) / 255;
        }) < 1e-6);
  CHECK(differing_parts(slide, 2, 20) == 0);
}

TEST_CASE("what makes no slide is refused with the reason") {
  CHECK(holds(refusal_of({level({}, 100, 80, 1)}), "its largest picture, 100 x 80 pixels, is not stored in tiles"));
  Page turned = level({.tile = 48}, 100, 80, 1);
  turned.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_RIGHTTOP); };
  CHECK(holds(refusal_of({turned}), "orientation 6"));
  CHECK(holds(refusal_of({level({.tile = 48}, 100, 80, 1), level({.tile = 48}, 100, 80, 1)}), "a stack is not read"));
  const File text(std::string("no picture"));
  CHECK(holds(error_of<IoError>([&] { text.slide(); }), "slide.tif: is no TIFF"));
}

TEST_CASE("a damaged tile is an error of the rectangles that touch it, again and again, and of no others") {
  std::vector<Page> pages = three_levels({.compression = COMPRESSION_ADOBE_DEFLATE});
  std::string bytes = tiff_of(pages);
  const File sound(bytes);
  const Pixels expected = read(sound.slide(), 0, {0, 0, 48, 48});
  std::uint64_t at = 0;
  TIFF* const tiff = TIFFOpen(sound.path.c_str(), "r");
  at = TIFFGetStrileOffset(tiff, 1);  // from (48, 0) on
  TIFFClose(tiff);
  for (std::size_t i = 0; i < 40; ++i) bytes[at + i] = '\x55';
  const File file(bytes);
  const Slide slide = file.slide();
  for (int i = 0; i < 2; ++i) {
    const std::string error = error_of<IoError>([&] { read(slide, 0, {40, 10, 20, 20}); });
    CHECK((holds(error, "slide.tif: TIFF: ") && holds(error, "level 0, 20 x 20 pixels at (40, 10)")));
    CHECK(read(slide, 0, {0, 0, 48, 48}) == expected);
  }
  CHECK(holds(error_of<IoError>([&] { read(slide, 3, {0, 0, 1, 1}); }), "the slide has 3 levels"));
  CHECK(error_of<IoError>([&] { read(slide, 1, {0, 0, 165, 125}); }).empty());
}

TEST_CASE("a file that is cut says so where its tiles are missing") {
  Page page = level({.tile = 48, .compression = COMPRESSION_JPEG}, 160, 160, 1);
  page.tile = 64;
  std::string bytes = tiff_of(page);
  const File sound(bytes);
  TIFF* const tiff = TIFFOpen(sound.path.c_str(), "r");
  const std::uint64_t directory = TIFFCurrentDirOffset(tiff), last = TIFFGetStrileOffset(tiff, 8),
                      count = TIFFGetStrileByteCount(tiff, 8);
  TIFFClose(tiff);
  REQUIRE(directory > last);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(last + count / 2), count - count / 2, '\0');
  const File file(bytes);
  CHECK(error_of<IoError>([&] { read(file.slide(), 0, {0, 0, 128, 128}); }).empty());
  CHECK(holds(error_of<IoError>([&] { read(file.slide(), 0, {128, 128, 8, 8}); }), "8 x 8 pixels at (128, 128)"));
}

TEST_CASE("tiles that a file leaves out are white") {
  Page page = level({.tile = 48}, 144, 96, 1);
  page.left_out = [](Index x, Index y) { return x == 48 && y == 48; };
  const File file(std::vector{page});
  CHECK(difference(file.slide(), 0, [](Index x, Index y, Index c) {
          const bool missing = x >= 48 && x < 96 && y >= 48;
          return missing ? 1.0 : std::round(255 * smooth(static_cast<double>(x), static_cast<double>(y), c)) / 255;
        }) < 1e-6);
}

TEST_CASE("levels are each noticeably coarser than the one before, however many pages there are") {
  std::vector<Page> pages;
  for (const Index width : {331, 330, 300, 264, 250, 212, 120, 119, 30})
    pages.push_back(level({.tile = 48}, width, width * 250 / 331, 331.0 / static_cast<double>(width)));
  const Slide slide = File(pages).slide();
  std::vector<Index> widths;
  for (const slide::Level& l : slide.levels()) widths.push_back(l.width);
  CHECK(widths == std::vector<Index>{331, 264, 120, 30});
}

TEST_CASE("a file that claims many large tiles takes no memory for them, opened or asked what it is") {
  std::vector<Page> pages;
  for (int i = 0; i < 10; ++i) {
    Page page{.width = Index{4000} >> i, .height = Index{3000} >> i, .tile = 4096};
    page.left_out = [](Index, Index) { return true; };
    page.more_tags = [](TIFF* t) { TIFFWriteCheck(t, 1, "test"); };
    pages.push_back(page);
  }
  const File file(pages);
  CHECK(std::filesystem::file_size(file.path) < 10000);
  const auto resident = [] {
    Index pages_of_all = 0, here = 0;
    std::ifstream("/proc/self/statm") >> pages_of_all >> here;
    return here * ::sysconf(_SC_PAGESIZE);
  };
  const Index before = resident();
  CHECK(slide::is_slide(file.path));
  const Slide slide = file.slide();
  CHECK((slide.levels().size() == 10 && slide.levels()[9].tile_width == 4096));
  CHECK(resident() - before < 50'000'000);  // those of ten levels are 500 MB
  CHECK(read(slide, 9, {0, 0, 2, 2}) == Pixels(12, 255));
}

TEST_CASE("sides that no scanner has are refused before anything is reckoned with them") {
  Page page{.width = 48, .height = 48, .tile = 48};
  page.left_out = [](Index, Index) { return true; };
  page.more_tags = [](TIFF* t) {
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 4'200'000'000u), TIFFSetField(t, TIFFTAG_IMAGELENGTH, 1u);
    TIFFSetField(t, TIFFTAG_TILEWIDTH, 65536), TIFFSetField(t, TIFFTAG_TILELENGTH, 16);
    TIFFWriteCheck(t, 1, "test");
  };
  CHECK(holds(refusal_of({page}), "4200000000 x 1 pixels, at most 8388608 along a side are read"));
}

TEST_CASE("of a slide of 16 bits no tile is decoded before the first is wanted") {
  std::string bytes = tiff_of(three_levels({.bits = 16, .compression = COMPRESSION_ADOBE_DEFLATE}, 65535));
  const File sound(bytes);
  TIFF* const tiff = TIFFOpen(sound.path.c_str(), "r");
  TIFFSetDirectory(tiff, 2);
  const std::uint64_t at = TIFFGetStrileOffset(tiff, 0);  // of the coarsest level, by which colours are settled
  TIFFClose(tiff);
  for (std::size_t i = 0; i < 40; ++i) bytes[at + i] = '\x55';
  const File file(bytes);
  CHECK(slide::is_slide(file.path));
  const Slide slide = file.slide();
  CHECK(slide.levels().size() == 3);
  for (int i = 0; i < 2; ++i)
    CHECK(holds(error_of<IoError>([&] { read(slide, 0, {0, 0, 8, 8}); }), "slide.tif: TIFF: "));
}

TEST_CASE("a slide of 100,000 x 80,000 pixels is read anywhere, and its levels show the same") {
  const TemporaryFolder folder;
  giant::write(folder / "giant.tif");
  CHECK(std::filesystem::file_size(folder / "giant.tif") < 40u << 20);
  CHECK(slide::is_slide(folder / "giant.tif"));
  const Slide slide = slide::open_slide(folder / "giant.tif");
  REQUIRE(slide.levels().size() == 7);
  CHECK((slide.width() == 100000 && slide.height() == 80000 && slide.pixel_size().x == Approx(0.25)));
  CHECK((slide.levels().back().width == 1562 && slide.levels().back().height == 1250));
  for (const auto& [x, y] : {std::pair<Index, Index>{27000, 27000}, {99500, 79600}, {62000, 61000}}) {
    const Rectangle whole{x, y, 700, 600};
    CHECK(differing_parts(slide, 0, whole, read(slide, 0, whole), 20) == 0);
  }
  // Tissue is 30 % of the coarsest level, and a mean over it is that of level 0.
  const Pixels last = read(slide, 6, {0, 0, 1562, 1250});
  Index tissue = 0;
  for (std::size_t i = 0; i < last.size(); i += 3) tissue += last[i + 1] < 200 ? 1 : 0;
  CHECK(static_cast<double>(tissue) / (1562.0 * 1250) == Approx(0.3).margin(0.02));
  const auto mean = [](const Pixels& rgb) {
    double sum = 0;
    for (const std::uint8_t v : rgb) sum += v;
    return sum / static_cast<double>(rgb.size());
  };
  CHECK(mean(read(slide, 6, {420, 420, 16, 16})) == Approx(mean(read(slide, 0, {26880, 26880, 1024, 1024}))).margin(2));
}

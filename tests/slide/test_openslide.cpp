#include "slide/openslide_pyramid.hpp"
#include "slide/read_starts.hpp"
#include "slide/slides.hpp"
#include "slide/tiff_pyramid.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;
using slide::detail::ReadStarts;

TEST_CASE("a level of a whole downsample is read from anywhere, others from the most exact places") {
  CHECK(ReadStarts(100000, 4).free());
  CHECK(ReadStarts(50, 4.00001).free());
  for (const double downsample : {2.0005055500659967, 4.000121, 2.5, 1.3, 16.01, 3.9997}) {
    const Index size = 11500;
    const ReadStarts starts(size, downsample);
    REQUIRE_FALSE(starts.free());
    const std::vector<Index>& all = starts.all();
    CHECK((all[0] == 0 && starts.position(0) == 0));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool last = i + 1 == all.size();
      const Index end = last ? size : all[i + 1];
      CHECK((end > all[i] && end - all[i] <= ReadStarts::kMostOfPiece));
      const double late = static_cast<double>(starts.position(all[i])) - static_cast<double>(all[i]) * downsample;
      CHECK((last ? late > -1 && late < 0.01 * downsample : std::abs(late) <= 0.5 + 1e-9));
      CHECK(starts.shift(all[i]) == Approx(std::abs(late) / downsample).margin(1e-9));
    }
  }
  const ReadStarts halves(5000, 2.5);
  for (const Index start : halves.all()) CHECK(start % 2 == 0);  // those that are exact
}

#ifdef NUCDET_WITH_OPENSLIDE

using slide::detail::OpenSlidePyramid;
using slide::detail::TiffPyramid;

namespace {

double smooth(double x, double y, Index c) {
  return 0.5 + 0.3 * std::sin(x / 23 + static_cast<double>(c)) + 0.2 * std::cos(y / 17 - static_cast<double>(c));
}

Page level(Index width, Index height, double downsample) {
  Page page{.width = width, .height = height, .tile = 64};
  page.samples = [=](Index x, Index y, Index c) {
    return std::round(255 * smooth(static_cast<double>(x) * downsample, static_cast<double>(y) * downsample, c));
  };
  return page;
}

/// A pyramid of which both readers take the pages; OpenSlide wants the lower ones to say what they are.
std::vector<Page> pyramid() {
  std::vector<Page> pages = {level(2603, 901, 1), level(1301, 450, 2), level(650, 225, 4)};
  for (std::size_t i = 1; i < 3; ++i)
    pages[i].more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE); };
  return pages;
}

}  // namespace

TEST_CASE("OpenSlide: what is read of a level does not depend on the rectangle, whatever its downsample") {
  const TemporaryFolder folder;
  const auto path = folder / "a.tif";
  put(path, tiff_of(pyramid()));
  REQUIRE(slide::detail::openslide_vendor(path) == "generic-tiff");
  const Slide by_openslide{OpenSlidePyramid(path)}, by_libtiff{TiffPyramid(path)};
  REQUIRE((by_openslide.levels().size() == 3 && by_libtiff.levels().size() == 3));
  for (Index k = 0; k < 3; ++k) {
    const slide::Level &a = by_openslide.levels()[static_cast<std::size_t>(k)],
                       &b = by_libtiff.levels()[static_cast<std::size_t>(k)];
    CHECK((a.width == b.width && a.height == b.height && a.downsample_x == b.downsample_x && a.tile_width == 64));
    CHECK(differing_parts(by_openslide, k, 15) == 0);
    // Level 0 to the bit; below, a pixel is at most half a pixel of level 0 off, of a picture that is smooth.
    const Rectangle all{0, 0, a.width, a.height};
    CHECK(largest_difference(read(by_openslide, k, all), read(by_libtiff, k, all)) <= (k == 0 ? 0 : 3));
  }
}

TEST_CASE("OpenSlide: a damaged tile is an error of the rectangles that touch it, and of no others") {
  const TemporaryFolder folder;
  std::vector<Page> pages = {level(640, 320, 1)};
  pages[0].compression = COMPRESSION_ADOBE_DEFLATE;
  std::string bytes = tiff_of(pages);
  const auto path = folder / "a.tif";
  put(path, bytes);
  TIFF* const tiff = TIFFOpen(path.c_str(), "r");
  const std::uint64_t at = TIFFGetStrileOffset(tiff, 1);
  TIFFClose(tiff);
  const Pixels expected = read(Slide(OpenSlidePyramid(path)), 0, {128, 0, 300, 200});
  for (std::size_t i = 0; i < 40; ++i) bytes[at + i] = '\x55';
  put(path, bytes);
  const Slide slide{OpenSlidePyramid(path)};
  for (int i = 0; i < 2; ++i) {
    const std::string error = error_of<IoError>([&] { read(slide, 0, {70, 10, 20, 20}); });
    CHECK((holds(error, "a.tif: level 0, 20 x 20 pixels at (70, 10): OpenSlide: ")));
    CHECK(read(slide, 0, {128, 0, 300, 200}) == expected);
  }
  // Also beside a thread that fails all the time.
  int wrong = 0;
  std::thread failing([&] {
    for (int i = 0; i < 10; ++i) wrong += error_of<IoError>([&] { read(slide, 0, {64, 0, 10, 10}); }).empty() ? 1 : 0;
  });
  int lost = 0;
  for (int i = 0; i < 50; ++i) lost += !error_of<IoError>([&] { read(slide, 0, {128, 0, 300, 200}); }).empty() ? 1 : 0;
  failing.join();
  CHECK((wrong == 0 && lost == 0));
  CHECK(holds(error_of<IoError>([&] { read(slide, 1, {0, 0, 1, 1}); }), "the slide has 1 levels"));
}

TEST_CASE("the real slides: OpenSlide and libtiff read the same") {
  for (const char* name : {"CMU-1-Small-Region.svs", "TCGA-CR-7395-01A-01-TS1.svs"}) {
    const std::filesystem::path path = real_slide(name);
    if (path.empty()) continue;
    INFO(name);
    CHECK(slide::is_slide(path));
    const Slide by_openslide = slide::open_slide(path), by_libtiff{TiffPyramid(path)};
    REQUIRE(by_openslide.levels().size() == by_libtiff.levels().size());
    CHECK(by_openslide.pixel_size().x == by_libtiff.pixel_size().x);
    CHECK(by_openslide.pixel_size().source == by_libtiff.pixel_size().source);
    CHECK(by_openslide.associated() == by_libtiff.associated());
    for (Index k = 0; k < static_cast<Index>(by_libtiff.levels().size()); ++k) {
      const slide::Level& of = by_libtiff.levels()[static_cast<std::size_t>(k)];
      CHECK(by_openslide.levels()[static_cast<std::size_t>(k)].width == of.width);
      const Rectangle somewhere{of.width / 2 - 350, of.height / 2 - 300, 700, 600};
      const Pixels a = read(by_openslide, k, somewhere), b = read(by_libtiff, k, somewhere);
      CAPTURE(k);
      CHECK(largest_difference(a, b) <= 3);
      CHECK(differing_parts(by_openslide, k, somewhere, a, 8) == 0);
      CHECK(differing_parts(by_libtiff, k, somewhere, b, 8) == 0);
    }
    for (const std::string& picture : by_libtiff.associated()) {
      const io::Picture a = by_openslide.read_associated(picture), b = by_libtiff.read_associated(picture);
      CHECK((a.width == b.width && a.height == b.height));
      CHECK(largest_difference(std::get<io::Picture::Bytes>(a.pixels), std::get<io::Picture::Bytes>(b.pixels)) <= 3);
    }
  }
}

#endif

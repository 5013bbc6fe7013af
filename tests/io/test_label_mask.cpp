#include "io/label_mask.hpp"
#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

io::Annotations read(std::string_view bytes) {
  return io::detail::label_centroids(std::as_bytes(std::span(bytes)), "mask");
}
std::string error(std::string_view bytes) {
  return error_of<IoError>([&] { read(bytes); });
}

/// Rows of digits, 0 is the background; a digit stands for `step` times itself.
Page mask(std::vector<std::string> rows, int bits, int format, double step = 1) {
  Page page{.width = static_cast<Index>(rows[0].size()), .height = static_cast<Index>(rows.size()), .channels = 1};
  page.bits = bits, page.format = format, page.photometric = PHOTOMETRIC_MINISBLACK;
  page.samples = [=](Index x, Index y, Index) {
    return step * (rows[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] - '0');
  };
  return page;
}

const std::vector<std::string> kLabels = {"110020", "110020", "000020", "300000", "003000"};

}  // namespace

TEST_CASE("each value of a label mask is a nucleus, whatever its type") {
  for (const auto& [bits, format] : {std::pair{8, SAMPLEFORMAT_UINT},
                                     {16, SAMPLEFORMAT_UINT},
                                     {32, SAMPLEFORMAT_UINT},
                                     {16, SAMPLEFORMAT_INT},
                                     {32, SAMPLEFORMAT_INT},
                                     {32, SAMPLEFORMAT_IEEEFP},
                                     {64, SAMPLEFORMAT_IEEEFP},
                                     {4, SAMPLEFORMAT_UINT}})
    for (const int tile : {0, 16}) {
      if (tile > 0 && bits < 8) continue;
      Page page = mask(kLabels, bits, format, bits == 32 && format == SAMPLEFORMAT_UINT ? 1000000007 : 1);
      page.tile = tile;
      const io::Annotations found = read(tiff_of(page));
      INFO(bits << " bits, format " << format);
      CHECK((found.points == std::vector<Point>{{0.5, 0.5}, {4, 1}, {1, 3.5}}));
      CHECK((found.format == "label mask" && found.notes.empty()));
    }
  CHECK(read(tiff_of(mask({"000", "000"}, 8, SAMPLEFORMAT_UINT))).points.empty());
}

TEST_CASE("a mask of one value: what touches is a nucleus, also at corners") {
  for (const int value : {1, 255}) {
    Page page = mask({"1100001", "1000010", "0000000", "1010000", "0100000"}, 8, SAMPLEFORMAT_UINT, value);
    const io::Annotations found = read(tiff_of(page));
    REQUIRE(found.points.size() == 3);
    CHECK((found.points[0] == Point{1 / 3.0, 1 / 3.0} && found.points[1] == Point{5.5, 0.5}));
    CHECK((found.points[2] == Point{1, 10 / 3.0}));
    CHECK(holds(found.notes.at(0), "a mask of one value"));
  }
  // A ring and a fork join what seemed apart; tiles cut runs.
  CHECK(read(tiff_of(mask({"10101", "10101", "11111"}, 8, SAMPLEFORMAT_UINT))).points.size() == 1);
  Page long_run = mask({std::string(40, '1')}, 8, SAMPLEFORMAT_UINT);
  long_run.tile = 16;
  CHECK((read(tiff_of(long_run)).points == std::vector<Point>{{19.5, 0}}));
}

TEST_CASE("label masks of PNG: grey and palette indices") {
  const auto images = std::filesystem::path(NUCDET_TEST_DIR) / "golden/images";
  // Row y of palette.png has index y: 12 nuclei, one a row.
  const std::vector<Point> rows = read(contents_of(images / "palette.png")).points;
  REQUIRE(rows.size() == 12);
  CHECK((rows[0] == Point{9, 1} && rows[11] == Point{9, 12}));
  CHECK(read(contents_of(images / "grey8.png")).points.size() > 100);
  CHECK(read(contents_of(images / "grey16.png")).points.size() > 100);
}

TEST_CASE("a mask of classes: a piece is a nucleus, its value the class") {
  const io::Annotations found = read(tiff_of(mask({"1010202", "0000000", "2010102"}, 8, SAMPLEFORMAT_UINT)));
  CHECK(found.points.size() == 8);
  CHECK((found.classes == std::vector<std::string>{"1", "1", "2", "2", "2", "1", "1", "2"}));
  REQUIRE(found.notes.size() == 1);
  CHECK(holds(found.notes[0], "its value for the class"));
  // A nucleus may be in two pieces.
  const io::Annotations cut = read(tiff_of(mask({"1010202", "0000000", "3030000"}, 8, SAMPLEFORMAT_UINT)));
  CHECK((cut.points.size() == 3 && cut.classes.empty()));
  CHECK((cut.notes.size() == 1 && holds(cut.notes[0], "3 values in 6 pieces")));
}

TEST_CASE("a mask whose background is not 0") {
  std::vector<std::string> rows(100, std::string(100, '2'));
  rows[50] = std::string(50, '2') + '0' + std::string(49, '2');
  CHECK(holds(error(tiff_of(mask(rows, 8, SAMPLEFORMAT_UINT, 100))),
              "a nucleus of 100 % of the picture, wanted a label"));
}

TEST_CASE("points of a mask are turned as its picture is") {
  Page page = mask(kLabels, 8, SAMPLEFORMAT_UINT);
  page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_ORIENTATION, 6); };
  CHECK((read(tiff_of(page)).points == std::vector<Point>{{3.5, 0.5}, {3, 4}, {0.5, 1}}));
}

TEST_CASE("what is no label mask says so") {
  const auto images = std::filesystem::path(NUCDET_TEST_DIR) / "golden/images";
  CHECK(holds(error(contents_of(images / "rgb8.png")), "mask: a picture of 3 channels, wanted a label mask"));
  CHECK(holds(error(tiff_of(Page{})), "a picture of 3 channels"));
  CHECK(holds(error(contents_of(images / "rgb.jpg")), "neither PNG nor TIFF"));
  CHECK(holds(error(""), "an empty file"));
  CHECK(holds(error(tiff_of(mask(kLabels, 16, SAMPLEFORMAT_INT, -1))), "the value -1 is no label"));
  CHECK(holds(error(tiff_of(mask(kLabels, 32, SAMPLEFORMAT_IEEEFP, 0.5))), "the value 0.5 is no label"));
}

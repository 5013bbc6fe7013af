#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

Page sized(Index width, Index height, std::function<void(TIFF*)> more_tags = {}) {
  Page page{.width = width, .height = height};
  page.more_tags = std::move(more_tags);
  return page;
}
std::function<void(TIFF*)> subfile(int type) {
  return [=](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, type); };
}
std::function<void(TIFF*)> description(std::string text) {
  return [=](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, text.c_str()); };
}

/// Grey pages of one size, each with a channel of shade; the first has a text.
std::vector<Page> planes(int count, const std::string& text) {
  std::vector<Page> pages;
  for (int c = 0; c < count; ++c) {
    Page page{.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK};
    page.samples = [=](Index x, Index y, Index) { return 255 * shade(x, y, c); };
    if (c == 0 && !text.empty()) page.more_tags = description(text);
    pages.push_back(page);
  }
  return pages;
}

std::string ome(const std::string& pixels, const std::string& inside = "") {
  return "<?xml version=\"1.0\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image "
         "ID=\"Image:0\">"
         "<Pixels DimensionOrder=\"XYCZT\" Type=\"uint8\" SizeX=\"19\" SizeY=\"13\" " +
         pixels + ">" + inside + "</Pixels></Image></OME>";
}

}  // namespace

TEST_CASE("the largest page that is no thumbnail is taken, wherever it is, and said") {
  const std::vector<Page> pages = {sized(5, 4), sized(19, 13), sized(9, 6)};
  const Picture picture = decode(tiff_of(pages));
  CHECK((picture.width == 19 && difference(picture, shade) < 1e-9));
  CHECK(holds(notes_of(picture), "page 2 of 3 was taken: 19 x 13 pixels"));
  // A mask and a reduced level may be larger.
  const Picture beside = decode(
      tiff_of({sized(40, 40, subfile(FILETYPE_MASK)), sized(19, 13), sized(30, 30, subfile(FILETYPE_REDUCEDIMAGE))}));
  CHECK((beside.width == 19 && holds(notes_of(beside), "page 2 of 3")));
  CHECK(decode(tiff_of(sized(19, 13, subfile(FILETYPE_REDUCEDIMAGE)))).width == 19);  // there is nothing else
  CHECK(decode(tiff_of(sized(19, 13))).notes.empty());
}

TEST_CASE("a page by its number") {
  const std::string bytes = tiff_of({sized(5, 4), sized(19, 13), sized(19, 13)});
  CHECK(decode(bytes, {.page = 1}).width == 5);
  CHECK(decode(bytes, {.page = 3}).width == 19);
  CHECK(holds(refusal(bytes, {.page = 4}), "page 4 was asked for, the file has 3"));
  CHECK_THROWS_AS(decode(bytes, {.page = 0}), ArgumentError);
  CHECK(holds(refusal(bytes), "2 pages of 19 x 13 pixels, and nothing says that they are one picture"));
  CHECK(holds(refusal(bytes), "--page 2 to 3"));
}

TEST_CASE("the picture of a page within a page") {
  Page first = sized(5, 4, [](TIFF* t) {
    const std::uint64_t none = 0;
    TIFFSetField(t, TIFFTAG_SUBIFD, 1, &none);
  });
  const Picture picture = decode(tiff_of({first, sized(19, 13)}));  // the second is written as the first's SubIFD
  CHECK((picture.width == 19 && difference(picture, shade) < 1e-9));
  CHECK(holds(notes_of(picture), "a picture within page 1"));
  first.width = 38, first.height = 26;
  const Picture pyramid = decode(tiff_of({first, sized(19, 13, subfile(FILETYPE_REDUCEDIMAGE))}));
  CHECK((pyramid.width == 38 && pyramid.notes.empty()));
}

TEST_CASE("three planes are joined where ImageJ's text says that they are channels") {
  for (const char* text : {"ImageJ=1.53t\nimages=3\nchannels=3\nhyperstack=true\nmode=composite\n",
                           "ImageJ=1.53t\nimages=3\nchannels=3\nmode=color\nloop=false\n"}) {
    const Picture picture = decode(tiff_of(planes(3, text)));
    CHECK(difference(picture, shade) < 1e-9);
    CHECK(holds(notes_of(picture), "joined as red, green and blue, as its ImageJ text says"));
  }
  for (const char* text : {"", "ImageJ=1.53t\nimages=3\nslices=3\n", "ImageJ=1.53t\nimages=3\nframes=3\n"})
    CHECK(holds(refusal(tiff_of(planes(3, text))), "3 pages of 19 x 13"));
  CHECK(holds(refusal(tiff_of(planes(5, "ImageJ=1.53t\nimages=5\nchannels=5\n"))), "5 channels, says its ImageJ text"));
  CHECK(holds(refusal(tiff_of(planes(1, "ImageJ=1.53t\nimages=30\nslices=30\n"))), "ImageJ's text says 30 pictures"));
  const Picture second = decode(tiff_of(planes(3, "ImageJ=1.53t\nimages=3\nchannels=3\n")), {.page = 2});
  CHECK(difference(second, [](Index x, Index y, Index) { return shade(x, y, 1); }) < 1e-9);
}

TEST_CASE("planes of 16 bits, in tiles, are joined too") {
  std::vector<Page> pages = planes(3, "ImageJ=1.53t\nimages=3\nchannels=3\n");
  for (std::size_t c = 0; c < 3; ++c) {
    pages[c].bits = 16, pages[c].tile = 16;
    pages[c].samples = [=](Index x, Index y, Index) { return std::round(4095 * shade(x, y, static_cast<Index>(c))); };
  }
  const Picture picture = decode(tiff_of(pages));
  CHECK((picture.bits() == 16 && difference(picture, shade) < 0.001 && holds(notes_of(picture), "12 bits in 16")));
}

TEST_CASE("OME-XML says which planes are red, green and blue, and how deep they are") {
  const std::string rgb = "SizeC=\"3\" SizeZ=\"1\" SizeT=\"1\"";
  const std::string joined = refusal(tiff_of(planes(3, ome(rgb))));
  if (holds(joined, "pugixml")) return;  // what a build without it says
  CHECK(joined.empty());
  CHECK(difference(decode(tiff_of(planes(3, ome(rgb)))), shade) < 1e-9);
  const std::string turned =
      "<TiffData FirstC=\"0\" IFD=\"2\" PlaneCount=\"1\"/><TiffData FirstC=\"1\" IFD=\"1\"/>"
      "<TiffData FirstC=\"2\" IFD=\"0\"/>";
  CHECK(difference(decode(tiff_of(planes(3, ome(rgb, turned)))),
                   [](Index x, Index y, Index c) { return shade(x, y, 2 - c); }) < 1e-9);
  CHECK(holds(refusal(tiff_of(planes(3, ome("SizeC=\"1\" SizeZ=\"3\" SizeT=\"1\"")))), "3 pages"));
  CHECK(holds(refusal(tiff_of(planes(5, ome("SizeC=\"5\" SizeZ=\"1\" SizeT=\"1\"")))), "5 channels, says its OME-XML"));
  CHECK(holds(refusal(tiff_of(planes(3, "<OME><Image><Pixels SizeC="))), "3 pages"));

  Page deep{.bits = 16, .samples = shades(900)};
  deep.more_tags = description(
      ome("SizeC=\"3\" SizeZ=\"1\" SizeT=\"1\" SignificantBits=\"12\"", "<Channel SamplesPerPixel=\"3\"/>"));
  CHECK(holds(notes_of(decode(tiff_of(deep))), "12 bits in 16, as the file says"));
  Page declared{.photometric = PHOTOMETRIC_MINISBLACK};  // three samples that only OME-XML calls a colour
  declared.more_tags = description(ome(rgb, "<Channel SamplesPerPixel=\"3\"/>"));
  CHECK(difference(decode(tiff_of(declared)), shade) < 1e-9);
}

TEST_CASE("a broken chain of pages does not hide the picture before it") {
  std::string bytes = tiff_of({sized(19, 13), sized(5, 4)});
  bytes.resize(bytes.size() - 40);  // the second directory is cut
  CHECK(difference(decode(bytes), shade) < 1e-9);
}

TEST_CASE("a whole slide is refused with what to do instead") {
  Page page = sized(19, 13);
  std::string bytes = tiff_of(page, "wl");
  const std::string message = refusal(bytes, {.pixels = 246});
  CHECK(holds(message, "19 x 13 pixels, at most 246 are read at once; nucdet detect takes tiled TIFF of any size"));
  CHECK(holds(message, "export a region"));
  CHECK(refusal(bytes, {.pixels = 247}).empty());
  const std::string levels = tiff_of({sized(40, 20), sized(20, 10), sized(5, 5)});
  CHECK(holds(refusal(levels, {.pixels = 300}), "page 1 has 40 x 20 pixels, at most 300 are read at once"));
  CHECK(holds(refusal(levels, {.pixels = 300}), "by --page: 2 (20 x 10 pixels), 3 (5 x 5 pixels)"));
}

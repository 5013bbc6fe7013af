#include <limits>

#include "io/picture_files.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace pictures;

namespace {

io::PixelSize size_of(const std::string& text, double x = 0, double y = 0, int unit = RESUNIT_NONE) {
  Page page;
  page.more_tags = [=](TIFF* t) {
    if (!text.empty()) TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, text.c_str());
    if (x == 0) return;
    TIFFSetField(t, TIFFTAG_XRESOLUTION, x);
    TIFFSetField(t, TIFFTAG_YRESOLUTION, y);
    TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, unit);
  };
  return decode(tiff_of(page)).pixel_size;
}

std::string ome(const std::string& attributes) {
  return "<OME><Image><Pixels SizeX=\"5\" SizeY=\"5\" PhysicalSizeX=\"7\" PhysicalSizeY=\"7\"/></Image><Image>"
         "<Pixels SizeX=\"19\" SizeY=\"13\" SizeC=\"3\" " +
         attributes + "><Channel SamplesPerPixel=\"3\"/></Pixels></Image></OME>";
}

bool is(const io::PixelSize& size, double x, double y, const char* source) {
  return std::abs(size.x - x) < 1e-6 && std::abs(size.y - y) < 1e-6 && size.source == source;
}

}  // namespace

TEST_CASE("um per pixel by Aperio's text") {
  const std::string head = "Aperio Image Library v11.2.1\r\n19x13 [0,0 19x13] (240x240) JPEG/RGB Q=70|AppMag = 20|";
  CHECK(is(size_of(head + "MPP = 0.4990"), 0.499, 0.499, "Aperio MPP"));
  CHECK(is(size_of(head + "MPP=0.25|Left = 3"), 0.25, 0.25, "Aperio MPP"));
  CHECK(is(size_of(head + "MPP = 0.5", 72, 72, RESUNIT_INCH), 0.5, 0.5, "Aperio MPP"));
  for (const char* bad : {"MPP = 0", "MPP = -1", "MPP = nan", "MPP = inf", "MPP = x", "NoMPP = 3"})
    CHECK(is(size_of(head + bad), 0.5, 0.5, "Aperio AppMag"));
  CHECK(!size_of("Aperio Image Library v11.2.1|AppMag = 0|MPP = x").known());
}

TEST_CASE("um per pixel by TIFF resolution, but for that of prints") {
  CHECK(is(size_of("", 20000, 40000, RESUNIT_CENTIMETER), 0.5, 0.25, "TIFF resolution"));
  CHECK(is(size_of("", 50800, 50800, RESUNIT_INCH), 0.5, 0.5, "TIFF resolution"));
  CHECK(is(size_of("", 1001, 1001, RESUNIT_CENTIMETER), 10000.0 / 1001, 10000.0 / 1001, "TIFF resolution"));
  for (const double dpi : {1.0, 72.0, 96.0, 300.0, 600.0, 2540.0}) CHECK(!size_of("", dpi, dpi, RESUNIT_INCH).known());
  CHECK(!size_of("", 1000, 1000, RESUNIT_CENTIMETER).known());
  CHECK(!size_of("", 20000, 20000, RESUNIT_NONE).known());
  CHECK(!size_of("", 20000, 72, RESUNIT_INCH).known());
  CHECK(!size_of("").known());
}

TEST_CASE("um per pixel by ImageJ's unit") {
  for (const char* unit : {"micron", "um", "\\u00B5m", "\xC2\xB5m", "microns"})
    CHECK(is(size_of(std::string("ImageJ=1.53t\nunit=") + unit + "\nmin=0.0\n", 4, 2), 0.25, 0.5, "ImageJ unit"));
  CHECK(is(size_of("ImageJ=1.53t\nunit=nm\n", 0.004, 0.004), 0.25, 0.25, "ImageJ unit"));
  CHECK(is(size_of("ImageJ=1.53t\nunit=mm\n", 4000, 4000), 0.25, 0.25, "ImageJ unit"));
  CHECK(!size_of("ImageJ=1.53t\nunit=pixel\n", 4, 4).known());
  CHECK(!size_of("ImageJ=1.53t\n", 4, 4).known());
  CHECK(!size_of("ImageJ=1.53t\nunit=inch\n", 72, 72, RESUNIT_INCH).known());  // so it saves what had 72 dpi
  CHECK(!size_of("ImageJ=1.53t\nunit=micron\n").known());
}

TEST_CASE("um per pixel by OME-XML, of the picture that is taken") {
  Page grey{.channels = 1, .photometric = PHOTOMETRIC_MINISBLACK};
  grey.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, "<OME></OME>"); };
  if (!is(size_of(ome("PhysicalSizeX=\"1\" PhysicalSizeY=\"1\"")), 1, 1, "OME PhysicalSizeX")) {
    const std::string planes = refusal(tiff_of({grey, grey, grey}));
    CHECK(holds(planes, "without pugixml"));  // a build without it reads no OME-XML, and says so
    return;
  }
  CHECK(is(size_of(ome("PhysicalSizeX=\"0.5\" PhysicalSizeY=\"0.25\"")), 0.5, 0.25, "OME PhysicalSizeX"));
  for (const auto& [unit, size] : {std::pair{"nm", "500"},
                                   {"mm", "0.0005"},
                                   {"cm", "0.00005"},
                                   {"\xC2\xB5m", "0.5"},
                                   {"m", "0.0000005"},
                                   {"um", "0.5"}}) {
    const std::string text = std::string("PhysicalSizeX=\"") + size + "\" PhysicalSizeY=\"" + size +
                             "\" PhysicalSizeXUnit=\"" + unit + "\" PhysicalSizeYUnit=\"" + unit + "\"";
    INFO(unit);
    CHECK(is(size_of(ome(text)), 0.5, 0.5, "OME PhysicalSizeX"));
  }
  CHECK(!size_of(ome("PhysicalSizeX=\"1\" PhysicalSizeY=\"1\" PhysicalSizeXUnit=\"pixel\"")).known());
  CHECK(!size_of(ome("")).known());
}

TEST_CASE("um per pixel of a reduced level are larger") {
  const auto with = [](Index width, Index height, bool text) {
    Page page{.width = width, .height = height};
    if (text) page.more_tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, "Aperio|MPP = 0.25"); };
    return page;
  };
  const std::string bytes = tiff_of({with(80, 40, true), with(20, 10, false), with(15, 15, false)});
  CHECK(decode(bytes).pixel_size.x == Approx(0.25));
  CHECK(decode(bytes, {.page = 2}).pixel_size.x == Approx(1));
  CHECK(!decode(bytes, {.page = 3}).pixel_size.known());  // a label shows something else
}

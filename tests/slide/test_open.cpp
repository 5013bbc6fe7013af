#include "slide/slides.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;

namespace {

std::string refusal_of(const std::filesystem::path& path) {
  return error_of<IoError>([&] { slide::open_slide(path); });
}

}  // namespace

TEST_CASE("a slide is a pyramid, or tiled and too large for a picture; what is no slide says what it is") {
  const TemporaryFolder folder;
  const Page fine{.width = 96, .height = 64, .tile = 32}, half{.width = 48, .height = 32, .tile = 16};
  put(folder / "pyramid.tif", tiff_of({fine, half}));
  put(folder / "tiled.tif", tiff_of(fine));
  put(folder / "strips.tif", tiff_of(Page{}));
  put(folder / "empty.tif", "");
  put(folder / "text.svs", "no slide");
  put(folder / "picture.png", std::string("\x89PNG\r\n\x1a\n"));
  put(folder / "b.mrxs", "no slide either");
  put(folder / "cut.tif", tiff_of({fine, half}).substr(0, 100));
  CHECK(slide::is_slide(folder / "pyramid.tif"));
  for (const char* name : {"tiled.tif", "strips.tif", "empty.tif", "text.svs", "picture.png", "cut.tif", "missing"})
    CHECK_FALSE(slide::is_slide(folder / name));
  CHECK_FALSE(slide::is_slide(folder.path()));

  CHECK(slide::open_slide(folder / "pyramid.tif").levels().size() == 2);
  CHECK(slide::open_slide(folder / "tiled.tif").levels().size() == 1);  // small, but asked for
  CHECK(holds(refusal_of(folder / "strips.tif"), "not stored in tiles"));
  CHECK(holds(refusal_of(folder / "empty.tif"), "is empty, wanted a slide"));
  CHECK(holds(refusal_of(folder / "text.svs"), "is a text, wanted a slide"));
  CHECK(holds(refusal_of(folder / "picture.png"), "is a PNG picture, wanted a slide"));
  CHECK(holds(refusal_of(folder / "missing"), "cannot be opened"));
  CHECK(holds(refusal_of(folder.path()), "is a folder"));
}

// This file is compiled a second time without OpenSlide.
TEST_CASE("what goes by a scanner's name is no picture, and whoever lacks OpenSlide is told what to install") {
  const TemporaryFolder folder;
  put(folder / "b.mrxs", std::string("\xff\xd8\xff\xe0", 4));  // their small view is a JPEG picture
  put(folder / "c.vsi", tiff_of(Page{}));
  put(folder / "strips.tif", tiff_of(Page{}));
  const bool without = slide::openslide_version().empty();
  const std::string install = ": install libopenslide";
  for (const auto& [name, what] :
       {std::pair{"b.mrxs", "is a 3DHISTECH MRXS slide by its name"}, std::pair{"c.vsi", "is an Olympus VSI slide"}}) {
    CHECK(slide::is_slide(folder / name));
    const std::string refused = refusal_of(folder / name);
    CHECK(holds(refused, what));
    CHECK(holds(refused, without ? install : "does not know, or not without files beside it"));
  }
  CHECK(holds(refusal_of(folder / "strips.tif"), install) == without);
}

TEST_CASE("a TIFF that goes by a scanner's name is a slide or refused, whatever it holds: never its first page") {
  const TemporaryFolder folder;
  const Page fine{.width = 96, .height = 64, .tile = 32}, half{.width = 48, .height = 32, .tile = 16};
  put(folder / "strips.ndpi", tiff_of(Page{}));
  put(folder / "pages.scn", tiff_of({Page{}, Page{}}));
  put(folder / "tiled.bif", tiff_of(fine));
  put(folder / "two.NDPI", tiff_of({fine, half}));
  const bool without = slide::openslide_version().empty();
  for (const auto& [name, what] : {std::pair{"strips.ndpi", "is a Hamamatsu NDPI slide by its name"},
                                   std::pair{"pages.scn", "is a Leica SCN slide by its name"},
                                   std::pair{"tiled.bif", "is a Ventana BIF slide by its name"},
                                   std::pair{"two.NDPI", "is a Hamamatsu NDPI slide by its name"}}) {
    INFO(name);
    CHECK(slide::is_slide(folder / name));
    const std::filesystem::path file = folder / name;
    CHECK(holds(error_of<IoError>([&] { io::read_picture(file); }), what));
    const bool tiled = std::string_view(name).starts_with('t');
    if (tiled && !without) continue;  // OpenSlide calls it a TIFF as any: below
    const std::string refused = refusal_of(folder / name);
    CHECK(holds(refused, name));
    CHECK(holds(refused, what));
    CHECK(holds(refused, without ? ": install libopenslide" : "does not know"));
  }
  if (without) return;
  CHECK(slide::open_slide(folder / "tiled.bif").levels().size() == 1);
  CHECK(difference(slide::open_slide(folder / "tiled.bif"), 0, shade) < 1e-6);
}

TEST_CASE("Aperio's slides are read with OpenSlide and without") {
  const TemporaryFolder folder;
  Page fine{.width = 96, .height = 64, .tile = 32}, half{.width = 48, .height = 32, .tile = 32};
  for (Page* page : {&fine, &half})
    page->more_tags = [](TIFF* t) {
      TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, "Aperio Image Library v1\r\n96x64 (32x32) |AppMag = 20|MPP = 0.4990");
    };
  put(folder / "a.svs", tiff_of({fine, half}));
  CHECK(slide::is_slide(folder / "a.svs"));
  const Slide slide = slide::open_slide(folder / "a.svs");
  CHECK((slide.levels().size() == 2 && slide.width() == 96));
  CHECK((slide.pixel_size().x == Approx(0.499) && slide.pixel_size().source == "Aperio MPP"));
  CHECK(difference(slide, 0, shade) < 1e-6);
}

TEST_CASE(
    "what Aperio's scanners wrote without levels is a slide, and a tile of it a picture, with OpenSlide and without") {
  const TemporaryFolder folder;
  Page large{.width = 1024, .height = 1024, .tile = 256}, tile{.width = 512, .height = 512, .tile = 256};
  for (Page* page : {&large, &tile})
    page->more_tags = [](TIFF* t) {
      TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION,
                   "Aperio Image Library v1\r\n1024x1024 (256x256) |AppMag = 20|MPP = 0.4990");
    };
  put(folder / "large.svs", tiff_of(large));
  put(folder / "tile.svs", tiff_of(tile));
  CHECK(slide::is_slide(folder / "large.svs"));
  CHECK_FALSE(slide::is_slide(folder / "tile.svs"));
}

TEST_CASE("a picture is a slide of one level") {
  io::Picture picture{.where = "a picture", .height = 70, .width = 90};
  io::Picture::Bytes rgb(70 * 90 * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i * 7 % 251);
  picture.pixels = rgb;
  picture.pixel_size = {0.5, 0.25, "a test"};
  const Slide slide{slide::PicturePyramid(picture)};
  CHECK(differing_parts(slide, 0, 40) == 0);
  CHECK(read(slide, 0, {0, 0, 90, 70}) == rgb);
  CHECK((slide.pixel_size().y == 0.25 && slide.bounds() == Rectangle{0, 0, 90, 70} && slide.associated().empty()));
  CHECK(holds(error_of<IoError>([&] { slide.read_associated("label"); }), "has no picture 'label'"));
  CHECK(holds(error_of<IoError>([&] { read(slide, 1, {0, 0, 1, 1}); }), "level 1"));
}

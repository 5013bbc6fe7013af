#include <iomanip>
#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/thumbnail.hpp"

#include "commands.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

Json json_of(const slide::Slide& slide, const std::string& file) {
  Json levels = Json::array();
  for (const slide::Level& l : slide.levels())
    levels.push_back({{"width", l.width},
                      {"height", l.height},
                      {"downsample_x", l.downsample_x},
                      {"downsample_y", l.downsample_y},
                      {"tile_width", l.tile_width},
                      {"tile_height", l.tile_height}});
  const io::PixelSize size = slide.pixel_size();
  const slide::Rectangle bounds = slide.bounds();
  return {{"slide", file},
          {"width", slide.width()},
          {"height", slide.height()},
          {"um_per_pixel", size.known() ? Json{{"x", size.x}, {"y", size.y}, {"source", size.source}} : Json()},
          {"bounds", {{"x", bounds.x}, {"y", bounds.y}, {"width", bounds.width}, {"height", bounds.height}}},
          {"levels", levels},
          {"associated", slide.associated()}};
}

void print_levels(std::span<const slide::Level> levels) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const slide::Level& l = levels[i];
    std::cout << std::left << std::setw(18) << message("level ", i, ":") << l.width << " x " << l.height
              << " pixels, 1 / " << l.downsample_x;
    if (l.tile_width > 0) std::cout << ", tiles of " << l.tile_width << " x " << l.tile_height;
    std::cout << '\n';
  }
}

void print_text(const slide::Slide& slide, const std::string& file) {
  const io::PixelSize size = slide.pixel_size();
  const slide::Rectangle bounds = slide.bounds();
  std::cout << "slide:            " << printable(file) << '\n'
            << "size:             " << slide.width() << " x " << slide.height() << " pixels\n"
            << "um a pixel:       ";
  if (size.known())
    std::cout << size.x << " x " << size.y << " (" << printable(size.source) << ")\n";
  else
    std::cout << "not known\n";
  if (bounds != slide::Rectangle{0, 0, slide.width(), slide.height()})
    std::cout << "scanned:          " << bounds.width << " x " << bounds.height << " pixels at (" << bounds.x << ", "
              << bounds.y << ")\n";
  print_levels(slide.levels());
  std::string names;
  for (const std::string& name : slide.associated()) names += (names.empty() ? "" : ", ") + printable(name);
  std::cout << "beside it:        " << (names.empty() ? "nothing" : names) << '\n';
}

}  // namespace

int slide_info(const SlideInfoOptions& o) {
  const slide::Slide slide = slide::open_slide(o.slide);
  if (o.json)
    print_json(json_of(slide, o.slide));
  else
    print_text(slide, o.slide);
  return 0;
}

int slide_thumbnail(const SlideThumbnailOptions& o) {
  if (std::filesystem::path(o.out).extension() != ".png")
    throw ArgumentError(message("slide thumbnail: --out is ", o.out, ", wanted a name in .png"));
  OutputGuard guard;
  guard.input(o.slide);
  guard.output(o.out, io::Product::drawing);
  const slide::Slide slide = slide::open_slide(o.slide);
  const io::Picture picture =
      o.associated.empty() ? slide::thumbnail(slide, o.longest) : slide.read_associated(o.associated);
  guard.check_again();
  io::write_drawing(o.out, io::to_image(picture));
  if (o.json)
    print_json({{"out", o.out}, {"width", picture.width}, {"height", picture.height}});
  else
    std::cout << printable(o.out) << '\n';
  return 0;
}

}  // namespace nucdet::program

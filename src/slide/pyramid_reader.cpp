#include "nucdet/slide/pyramid_reader.hpp"

#include "nucdet/core/error.hpp"

namespace nucdet::slide {

io::Picture Slide::read(Index level, const Rectangle& r) const {
  if (level < 0 || level >= static_cast<Index>(levels().size()))
    throw IoError(message(where(), ": level ", level, ", it has ", levels().size()));
  if (r.width < 1 || r.height < 1 || r.height > io::PictureOptions{}.pixels / r.width)
    throw IoError(message(where(), ", level ", level, ": a rectangle of ", r.width, " x ", r.height, " pixels"));
  io::Picture picture{.where = where(), .format = "slide", .height = r.height, .width = r.width};
  io::Picture::Bytes rgb(static_cast<std::size_t>(r.width * r.height * io::Picture::kChannels));
  read(level, r, rgb.data());
  picture.pixels = std::move(rgb);
  const Level& of = levels()[static_cast<std::size_t>(level)];
  if (const io::PixelSize size = pixel_size(); size.known())
    picture.pixel_size = {size.x * of.downsample_x, size.y * of.downsample_y, size.source};
  return picture;
}

void Slide::refuse_associated(const std::string& where, const std::string& name) {
  throw IoError(message(where, ": has no picture '", name, "' beside the slide"));
}

Index level_for(std::span<const Level> levels, double level0_um, double um_per_pixel) {
  constexpr double kRounding = 1.01;  // a level's size is whole pixels
  Index chosen = 0;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const double um = level0_um * std::max(levels[i].downsample_x, levels[i].downsample_y);
    if (um <= um_per_pixel * kRounding) chosen = static_cast<Index>(i);
  }
  return chosen;
}

}  // namespace nucdet::slide

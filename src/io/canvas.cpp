#include "canvas.hpp"

#include <algorithm>
#include <utility>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

void check_size(const EncodedImage& source, Index width, Index height) {
  if (width < 1 || height < 1) throw IoError(message(source.where, ": ", width, " x ", height, " pixels"));
  if (width > source.options.pixels / height)
    throw IoError(
        message(source.where, ": ", width, " x ", height, " pixels, at most ", source.options.pixels,
                " are read at once; nucdet detect takes tiled TIFF of any size (vips tiffsave --tile --pyramid),",
                " or cut the picture, or export a region (QuPath: File, Export images)"));
}

/// The tag says where the first stored row and column are shown: 1 top left, 2 top right, 3 bottom right, 4 bottom
/// left; then columns are shown as rows: 5 left top, 6 right top, 7 right bottom, 8 left bottom.
Point turned(Point stored, Index width, Index height, int orientation) {
  if (orientation < 1 || orientation > 8) return stored;
  const double x = stored.x, y = stored.y;
  const double right = static_cast<double>(width - 1) - x, below = static_cast<double>(height - 1) - y;
  const Point shown[] = {{x, y}, {right, y}, {right, below}, {x, below},
                         {y, x}, {below, x}, {below, right}, {y, right}};
  return shown[orientation - 1];
}

Canvas::Canvas(const EncodedImage& source, std::string_view format, Index width, Index height, int bits,
               int orientation)
    : width_(width), height_(height), orientation_(orientation < 1 || orientation > 8 ? 1 : orientation) {
  check_size(source, width, height);
  const bool on_its_side = orientation_ >= 5;
  picture_.where = source.where;
  picture_.format = format;
  picture_.width = on_its_side ? height : width;
  picture_.height = on_its_side ? width : height;
  const auto place = [&](Index x, Index y) {
    const Point p = turned({static_cast<double>(x), static_cast<double>(y)}, width, height, orientation_);
    return static_cast<Index>(p.y) * picture_.width + static_cast<Index>(p.x);
  };
  origin_ = place(0, 0), step_x_ = place(1, 0) - origin_, step_y_ = place(0, 1) - origin_;
  const std::size_t values = static_cast<std::size_t>(Picture::kChannels * width * height);
  if (bits == 8)
    picture_.pixels = Picture::Bytes(values);
  else
    picture_.pixels = Picture::Words(values);
  if (orientation_ != 1) note(message("turned as the file's orientation (", orientation_, ") says"));
}

void Canvas::set_pixel_size(PixelSize size) {
  if (orientation_ >= 5) std::swap(size.x, size.y);
  picture_.pixel_size = std::move(size);
}

template <class Pixels, class T>
void Canvas::scatter(Index y, Index x, Index count, const T* rgb) {
  T* to = std::get<Pixels>(picture_.pixels).data() + 3 * (origin_ + y * step_y_ + x * step_x_);
  if (step_x_ == 1) {
    std::copy_n(rgb, 3 * count, to);
    return;
  }
  for (Index i = 0; i < count; ++i, to += 3 * step_x_, rgb += 3) std::copy_n(rgb, 3, to);
}
template void Canvas::scatter<Picture::Bytes>(Index, Index, Index, const std::uint8_t*);
template void Canvas::scatter<Picture::Words>(Index, Index, Index, const std::uint16_t*);

}  // namespace nucdet::io::detail

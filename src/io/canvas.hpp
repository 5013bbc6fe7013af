#pragma once
#include "nucdet/core/point.hpp"

#include "codecs.hpp"

namespace nucdet::io::detail {

/// Where an orientation (1 to 8) shows a point of stored pixels, width x height of them.
Point turned(Point stored, Index width, Index height, int orientation);

/// A picture that is being filled, turned and mirrored on the way as the file's orientation (1 to 8) says. So no
/// second copy of the pixels is needed.
class Canvas {
 public:
  /// Sizes are those of the stored pixels. An orientation of other values counts as 1. Throws as check_size.
  Canvas(const EncodedImage& source, std::string_view format, Index width, Index height, int bits, int orientation);

  /// Pixels that are stored in row y from column x on.
  void put(Index y, Index x, Index count, const std::uint8_t* rgb) { scatter<Picture::Bytes>(y, x, count, rgb); }
  void put(Index y, Index x, Index count, const std::uint16_t* rgb) { scatter<Picture::Words>(y, x, count, rgb); }
  /// The 8-bit pixels, to be written in place; only of an upright canvas.
  std::uint8_t* bytes() { return std::get<Picture::Bytes>(picture_.pixels).data(); }
  bool upright() const { return orientation_ == 1; }
  Index width() const { return width_; }
  Index height() const { return height_; }
  std::string_view where() const { return picture_.where; }

  void note(std::string text) { picture_.notes.push_back(std::move(text)); }
  /// um per stored pixel.
  void set_pixel_size(PixelSize size);
  Picture take() && { return std::move(picture_); }

 private:
  template <class Pixels, class T>
  void scatter(Index y, Index x, Index count, const T* rgb);

  Picture picture_;
  Index width_, height_;
  int orientation_;
  Index origin_ = 0, step_x_ = 1, step_y_ = 0;  // pixels: where the stored (0, 0) goes, and its neighbours
};

}  // namespace nucdet::io::detail

#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "nucdet/data/pad.hpp"

namespace nucdet::data {

/// Which colour comes first in a pixel's memory. What has less than 3 channels is the same in both.
enum class ChannelOrder : std::uint8_t { rgb, bgr };

/// An image of 8 or 16 bit as it lies in the memory of a host program: rows of interleaved pixels. It owns nothing and
/// copies nothing; 0 and 255 (or 65535) stand for the 0 and 1 of nucdet's own images. Where an image of 3 channels is
/// wanted, a single one is taken for grey, and of four the last, alpha, is ignored.
struct ImageView {
  static constexpr Index kMostChannels = 8;

  const void* data = nullptr;
  Index height = 0, width = 0, channels = 3;  ///< pixels, pixels, values a pixel
  Index row_stride = 0;                       ///< bytes from a row to the next one
  ChannelOrder order = ChannelOrder::rgb;
  Index bytes = 1;  ///< a value: 1 or 2

  ImageView() = default;
  /// row_stride: bytes; 0: there is nothing between the rows.
  ImageView(const std::uint8_t* pixels, Index rows, Index columns, Index channels_ = 3, Index row_stride_ = 0,
            ChannelOrder order_ = ChannelOrder::rgb)
      : ImageView(pixels, 1, rows, columns, channels_, row_stride_, order_) {}
  ImageView(const std::uint16_t* pixels, Index rows, Index columns, Index channels_ = 3, Index row_stride_ = 0,
            ChannelOrder order_ = ChannelOrder::rgb)
      : ImageView(pixels, 2, rows, columns, channels_, row_stride_, order_) {}

  /// The first value of a row.
  template <class T>
  const T* row(Index y) const {
    return reinterpret_cast<const T*>(static_cast<const unsigned char*>(data) + y * row_stride);
  }

  /// A rectangle of it. Throws ShapeError unless it lies in the image.
  ImageView part(Index top, Index left, Index rows, Index columns) const {
    if (top < 0 || left < 0 || rows < 1 || columns < 1 || top + rows > height || left + columns > width)
      throw ShapeError(message("ImageView: the part of ", rows, " x ", columns, " at (", top, ", ", left,
                               ") is not in the image of ", height, " x ", width));
    ImageView view = *this;
    view.data = static_cast<const unsigned char*>(data) + top * row_stride + left * channels * bytes;
    view.height = rows, view.width = columns;
    return view;
  }

  /// Throws ArgumentError for a null pointer, ShapeError for sizes, channels or strides that no image has.
  void check() const {
    if (data == nullptr) throw ArgumentError("ImageView: the data are null");
    if (height < 1 || width < 1 || channels < 1 || channels > kMostChannels)
      throw ShapeError(message("ImageView: ", height, " rows of ", width, " pixels of ", channels,
                               " values, wanted at least 1 of each and at most ", kMostChannels, " values"));
    if (row_stride < width * channels * bytes)
      throw ShapeError(
          message("ImageView: the row stride is ", row_stride, " bytes, a row has ", width * channels * bytes));
    if (bytes == 2 && (row_stride % 2 != 0 || reinterpret_cast<std::uintptr_t>(data) % 2 != 0))
      throw ArgumentError("ImageView: values of 16 bit do not begin at an even address");
  }

 private:
  ImageView(const void* pixels, Index size, Index rows, Index columns, Index channels_, Index row_stride_,
            ChannelOrder order_)
      : data(pixels),
        height(rows),
        width(columns),
        channels(channels_),
        row_stride(row_stride_ != 0 ? row_stride_ : columns * channels_ * size),
        order(order_),
        bytes(size) {}
};

/// What OpenCV's matrices are: `image_view(mat)` is all that it takes, without linking OpenCV.
template <class M>
concept MatrixOfPixels = requires(const M& m) {
  { m.data } -> std::convertible_to<const unsigned char*>;
  { m.rows } -> std::convertible_to<Index>;
  { m.cols } -> std::convertible_to<Index>;
  { m.channels() } -> std::convertible_to<Index>;
  { m.depth() } -> std::convertible_to<int>;
  static_cast<std::size_t>(m.step);
};

/// A matrix of OpenCV, which keeps blue first. Throws ArgumentError for another depth than CV_8U and CV_16U.
template <MatrixOfPixels M>
ImageView image_view(const M& m, ChannelOrder order = ChannelOrder::bgr) {
  const Index stride = static_cast<Index>(static_cast<std::size_t>(m.step));
  const Index rows = m.rows, columns = m.cols, channels = m.channels();
  const unsigned char* const pixels = m.data;
  if (m.depth() == 0) return {pixels, rows, columns, channels, stride, order};
  if (m.depth() != 2)
    throw ArgumentError(message("image_view: a matrix of depth ", m.depth(), ", wanted CV_8U (0) or CV_16U (2)"));
  return {reinterpret_cast<const std::uint16_t*>(pixels), rows, columns, channels, stride, order};
}

/// What an array of xtensor is: [height, width, channels] or [height, width], 8 or 16 bit.
template <class A>
concept ArrayOfPixels = requires(const A& a) {
  { a.data() + a.data_offset() } -> std::convertible_to<const typename A::value_type*>;
  { a.dimension() } -> std::convertible_to<std::size_t>;
  a.shape()[0], a.strides()[0];
}
&&(std::same_as<typename A::value_type, std::uint8_t> || std::same_as<typename A::value_type, std::uint16_t>);

/// Throws ShapeError for another number of dimensions and for pixels that do not lie side by side.
template <ArrayOfPixels A>
ImageView image_view(const A& a, ChannelOrder order = ChannelOrder::rgb) {
  const std::size_t d = a.dimension();
  if (d != 2 && d != 3) throw ShapeError(message("image_view: an array of ", d, " dimensions, wanted 2 or 3"));
  const auto of = [](const auto& list, std::size_t i) { return static_cast<Index>(list[i]); };
  const Index rows = of(a.shape(), 0), columns = of(a.shape(), 1), channels = d == 3 ? of(a.shape(), 2) : 1;
  const bool dense = (columns == 1 || of(a.strides(), 1) == channels) &&
                     (channels == 1 || of(a.strides(), d - 1) == 1) && (rows == 1 || of(a.strides(), 0) > 0);
  if (!dense) throw ShapeError("image_view: the array's pixels do not lie side by side, channels innermost");
  const Index stride = rows == 1 ? 0 : of(a.strides(), 0) * static_cast<Index>(sizeof(typename A::value_type));
  return {a.data() + a.data_offset(), rows, columns, channels, stride, order};  // a view begins within its array
}

namespace detail {

/// Fills y with pixels as values in [0, 1], reflected where it reaches beyond the image. The pixels given begin at
/// (first_row, first_column) of the image.
template <class T>
struct PixelsInto {
  const T* pixels;
  Index stride, channels;  // values a row; a pixel
  bool swapped;            // blue first
  Index height, width, first_row, first_column;
  Index top, left;
  View<float> y;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const T* const row = pixels + (reflect(t.y + top, height) - first_row) * stride;
    if (swapped || t.c0 != 0 || channels != t.c1 || y.pixel_stride != channels) return reflected(t, row, t.x0, t.x1);
    // Memory as it lies; of the columns [x0, first) and [last, x1) the reflections are shown.
    const Index first = clamped(-left, t.x0, t.x1), last = clamped(width - left, first, t.x1);
    reflected(t, row, t.x0, first);
    const T* const p = row + (first + left - first_column) * channels;
    float* const q = y.pixel(t.n, t.y, first);
    for (Index i = 0; i < (last - first) * channels; ++i) q[i] = static_cast<float>(p[i]) / kMost;
    reflected(t, row, last, t.x1);
  }

 private:
  static constexpr float kMost = sizeof(T) == 1 ? 255.0f : 65535.0f;

  NUCDET_HD static Index clamped(Index value, Index least, Index most) {
    return value < least ? least : value > most ? most : value;
  }
  NUCDET_HD void reflected(const exec::Tile& t, const T* row, Index x0, Index x1) const {
    for (Index x = x0; x < x1; ++x) {
      const T* const p = row + (reflect(x + left, width) - first_column) * channels;
      float* const q = y.pixel(t.n, t.y, x);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = static_cast<float>(p[source_of(c)]) / kMost;
    }
  }
  NUCDET_HD Index source_of(Index c) const { return channels == 1 ? 0 : swapped && c < 3 ? 2 - c : c; }
};

/// The pixels [first, last] of an axis that a window from `begin` shows, reflections included.
struct ShownRange {
  Index first, last;

  ShownRange(Index begin, Index count, Index size) : first(size - 1), last(0) {
    for (Index i = begin; i < begin + count; ++i) {
      const Index at = reflect(i, size);
      first = std::min(first, at), last = std::max(last, at);
    }
  }
};

template <class T, class D>
void copy_pixels(Context<D>& context, const ImageView& image, Index top, Index left, View<float> y) {
  const bool swapped = image.order == ChannelOrder::bgr && image.channels >= 3;
  const Index per_row = image.row_stride / static_cast<Index>(sizeof(T));
  PixelsInto<T> kernel{
      image.row<T>(0), per_row, image.channels, swapped, image.height, image.width, 0, 0, top, left, y};
  if constexpr (std::is_same_v<D, Cpu>) {
    exec::parallel_for(context, y.shape, kernel);
  } else {  // what the window shows goes up in one copy, as it is: a quarter of the floats' bytes
    const ShownRange rows(top, y.shape.h, image.height), columns(left, y.shape.w, image.width);
    std::vector<T> packed;
    kernel.stride = (columns.last - columns.first + 1) * image.channels;
    packed.reserve(static_cast<std::size_t>((rows.last - rows.first + 1) * kernel.stride));
    for (Index row = rows.first; row <= rows.last; ++row) {
      const T* const from = image.row<T>(row) + columns.first * image.channels;
      packed.insert(packed.end(), from, from + kernel.stride);
    }
    const DeviceArray<T, D> up(context, packed.data(), packed.size());
    kernel.pixels = up.data(), kernel.first_row = rows.first, kernel.first_column = columns.first;
    exec::parallel_for(context, y.shape, kernel);
  }
}

}  // namespace detail

/// Fills y, [1, h, w, C] in the device's memory, with the rectangle of the image that starts at (top, left), as values
/// in [0, 1], red first, reflected where it reaches beyond the image. The same bits as from an Image of these pixels.
/// Throws ArgumentError and ShapeError as ImageView::check does, ShapeError if the channels do not fit.
template <class D>
void copy_reflected(Context<D>& context, const ImageView& image, Index top, Index left, View<float> y) {
  image.check();
  const Index c = image.channels;
  if (y.shape.n != 1 || !(c == y.shape.c || c == 1 || (c == 4 && y.shape.c == 3)))
    throw ShapeError(message("copy_reflected: an image of ", c, " channels for ", y.shape));
  if (y.shape.count() == 0) return;
  if (image.bytes == 1)
    detail::copy_pixels<std::uint8_t>(context, image, top, left, y);
  else
    detail::copy_pixels<std::uint16_t>(context, image, top, left, y);
}

}  // namespace nucdet::data

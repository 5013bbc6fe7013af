#pragma once
#include <type_traits>

#include "nucdet/core/shape.hpp"

namespace nucdet {

/// What a kernel sees of an array: a pointer, a Shape and three strides (in elements). Channels are contiguous.
///
/// The strides let one type stand for a whole tensor, a range of its channels (a slice of a concatenation), a rectangle
/// of its pixels, and every s-th pixel of every s-th row (a phase of a strided convolution).
template <class T>
struct View {
  T* data = nullptr;
  Shape shape;
  Index image_stride = 0, row_stride = 0, pixel_stride = 0;

  View() = default;
  NUCDET_HD constexpr View(T* d, Shape s, Index image, Index row, Index pixel)
      : data(d), shape(s), image_stride(image), row_stride(row), pixel_stride(pixel) {}
  /// A dense array.
  NUCDET_HD constexpr View(T* d, Shape s) : View(d, s, s.h * s.w * s.c, s.w * s.c, s.c) {}
  /// A view to const of the same elements.
  template <class U>
  requires std::is_same_v<const U, T> NUCDET_HD constexpr View(const View<U>& o)
      : View(o.data, o.shape, o.image_stride, o.row_stride, o.pixel_stride) {}

  NUCDET_HD constexpr T* pixel(Index n, Index y, Index x) const {
    return data + n * image_stride + y * row_stride + x * pixel_stride;
  }
  NUCDET_HD constexpr T& operator()(Index n, Index y, Index x, Index c) const { return pixel(n, y, x)[c]; }

  NUCDET_HD constexpr bool dense() const {
    return pixel_stride == shape.c && row_stride == shape.w * shape.c && image_stride == shape.h * shape.w * shape.c;
  }

  /// Channels first, first + 1, ... of every pixel.
  NUCDET_HD constexpr View channels(Index first, Index count) const {
    return {data + first, {shape.n, shape.h, shape.w, count}, image_stride, row_stride, pixel_stride};
  }
  /// The rectangle of `h` x `w` pixels whose top left pixel is (y, x).
  NUCDET_HD constexpr View window(Index y, Index x, Index h, Index w) const {
    return {pixel(0, y, x), {shape.n, h, w, shape.c}, image_stride, row_stride, pixel_stride};
  }
  /// Pixels (a + s i, b + t j).
  NUCDET_HD constexpr View phase(Index a, Index b, Index s, Index t) const {
    const Index h = a < shape.h ? (shape.h - a + s - 1) / s : 0, w = b < shape.w ? (shape.w - b + t - 1) / t : 0;
    return {pixel(0, a, b), {shape.n, h, w, shape.c}, image_stride, s * row_stride, t * pixel_stride};
  }
  /// Image n alone, as a batch of one.
  NUCDET_HD constexpr View image(Index n) const {
    return {pixel(n, 0, 0), {1, shape.h, shape.w, shape.c}, image_stride, row_stride, pixel_stride};
  }
};

}  // namespace nucdet

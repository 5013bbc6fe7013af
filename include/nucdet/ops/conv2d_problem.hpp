#pragma once
#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::ops {

/// How many outputs a strided convolution has: floor(size / stride) as the paper says, or ceil.
enum class Rounding { floor, ceil };

/// The one geometry behind a convolution, its two gradients and the transposed convolution:
///   small(i, j, o) = sum over ky, kx, c of weight[o][ky][kx][c] * large(stride i + ky - pad, stride j + kx - pad, c)
/// with zeros outside. A convolution maps large to small, a transposed convolution (its data gradient) small to large.
/// Weights lie as [small channels][kernel][kernel][large channels].
struct Conv2dProblem {
  Shape large, small;
  Index kernel = 3, stride = 1;
  Index pad = 1;  ///< before; what is needed after follows from the sizes

  Index weights() const { return small.c * kernel * kernel * large.c; }
  /// Floating point operations of one pass: two for each multiply-add, zeros of the border counted.
  Index flops() const { return 2 * kernel * kernel * large.c * small.c * small.pixels(); }
  /// Bytes that one pass must read and write at least.
  Index bytes(Index element_size) const { return (large.count() + small.count() + weights()) * element_size; }
};

/// A centred convolution ("same" padding): an odd kernel, size floor or ceil of (size / stride).
inline Conv2dProblem same_convolution(const Shape& x, Index filters, Index kernel, Index stride,
                                      Rounding rounding = Rounding::floor) {
  const Index extra = rounding == Rounding::ceil ? stride - 1 : 0;
  const Shape y{x.n, (x.h + extra) / stride, (x.w + extra) / stride, filters};
  if (y.h < 1 || y.w < 1) throw ShapeError(message("Conv: input ", x, " is smaller than the stride ", stride));
  return {x, y, kernel, stride, (kernel - 1) / 2};
}

/// A convolution with `pad` zeros on every side: size floor((size + 2 pad - kernel) / stride) + 1.
inline Conv2dProblem padded_convolution(const Shape& x, Index filters, Index kernel, Index stride, Index pad) {
  if (x.h + 2 * pad < kernel || x.w + 2 * pad < kernel)
    throw ShapeError(message("Conv: input ", x, " with padding ", pad, " is smaller than the kernel ", kernel));
  const Shape y{x.n, (x.h + 2 * pad - kernel) / stride + 1, (x.w + 2 * pad - kernel) / stride + 1, filters};
  return {x, y, kernel, stride, pad};
}

/// A transposed convolution: size stride (size - 1) - 2 pad + kernel + output_pad.
inline Conv2dProblem transposed_convolution(const Shape& x, Index filters, Index kernel, Index stride, Index pad,
                                            Index output_pad) {
  const Index grow = kernel - 2 * pad + output_pad;
  const Shape y{x.n, stride * (x.h - 1) + grow, stride * (x.w - 1) + grow, filters};
  if (x.h < 1 || x.w < 1 || y.h < 1 || y.w < 1)
    throw ShapeError(message("TransposedConv: input ", x, " gives the empty output ", y));
  return {y, x, kernel, stride, pad};
}

}  // namespace nucdet::ops

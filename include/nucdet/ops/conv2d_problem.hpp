#pragma once
#include <algorithm>
#include <ostream>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/rectangle.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::ops {

/// A number for the rows and one for the columns. Fit for a template argument.
struct Axes {
  Index y = 1, x = 1;

  NUCDET_HD constexpr Axes(Index both) : y(both), x(both) {}
  NUCDET_HD constexpr Axes(Index rows, Index columns) : y(rows), x(columns) {}

  NUCDET_HD constexpr Index count() const { return y * x; }
  bool operator==(const Axes&) const = default;
};
/// "3", or "3x1".
inline std::ostream& operator<<(std::ostream& out, const Axes& a) {
  out << a.y;
  return a.x == a.y ? out : out << 'x' << a.x;
}

/// How many outputs a strided convolution has: floor(size / stride) as the paper says, or ceil.
enum class Rounding { floor, ceil };

/// The one geometry behind a convolution, its two gradients and the transposed convolution:
///   small(i, j, o) = sum over ky, kx, c of weight[o][ky][kx][c] * large(row(i, ky), column(j, kx), first(o) + c),
///   row(i, ky) = stride.y i + dilation.y ky - pad.y, column(j, kx) alike,
/// with zeros outside. Channels are cut into `groups`: output o of group g sums the large channels of group g, the
/// first of which is first(o). A convolution maps large to small, a transposed convolution (its data gradient) small to
/// large. Weights lie as [small channels][kernel rows][kernel columns][large channels of a group].
struct Conv2dProblem {
  Shape large, small;
  Axes kernel = 3, stride = 1;
  Axes pad = 1;  ///< before; what is needed after follows from the sizes
  Axes dilation = 1;
  Index groups = 1;

  NUCDET_HD constexpr Index group_inputs() const { return large.c / groups; }
  NUCDET_HD constexpr Index group_outputs() const { return small.c / groups; }
  /// One channel in and one out for each group.
  constexpr bool depthwise() const { return groups > 1 && groups == large.c && groups == small.c; }
  Index weights() const { return small.c * kernel.count() * group_inputs(); }
  /// Floating point operations of one pass: two for each multiply-add, zeros of the border counted.
  Index flops() const { return 2 * kernel.count() * group_inputs() * small.c * small.pixels(); }
  /// Bytes that one pass must read and write at least.
  Index bytes(Index element_size) const { return (large.count() + small.count() + weights()) * element_size; }
};

/// The same with the channels cut into groups. Throws ShapeError if they cannot be.
inline Conv2dProblem grouped(Conv2dProblem p, Index groups) {
  if (groups < 1 || p.large.c % groups != 0 || p.small.c % groups != 0)
    throw ShapeError(message("Conv: ", groups, " groups of ", p.large.c, " and ", p.small.c, " channels"));
  p.groups = groups;
  return p;
}

/// A convolution that makes a part of its output, and the part of the large map that it reads.
struct CroppedConvolution {
  Conv2dProblem problem;
  Rectangle large;
};

/// The part of the small map that begins at (top, left) and has the size of `part`. Not of a transposed convolution.
CroppedConvolution cropped(const Conv2dProblem& whole, Index top, Index left, const Shape& part);

/// A centred convolution ("same" padding): an odd kernel, size floor or ceil of (size / stride).
Conv2dProblem same_convolution(const Shape& x, Index filters, Axes kernel, Axes stride,
                               Rounding rounding = Rounding::floor, Axes dilation = 1);

/// A convolution with `pad` zeros on every side: size floor((size + 2 pad - dilation (kernel - 1) - 1) / stride) + 1.
Conv2dProblem padded_convolution(const Shape& x, Index filters, Axes kernel, Axes stride, Axes pad, Axes dilation = 1);

/// A transposed convolution: size stride (size - 1) - 2 pad + kernel + output_pad.
Conv2dProblem transposed_convolution(const Shape& x, Index filters, Axes kernel, Axes stride, Axes pad,
                                     Axes output_pad);

#ifdef NUCDET_INLINE

NUCDET_INLINE CroppedConvolution cropped(const Conv2dProblem& whole, Index top, Index left, const Shape& part) {
  struct Axis {
    Index begin, size, pad;
  };
  const auto along = [](Index large, Index first, Index count, Index kernel, Index stride, Index pad, Index dilation) {
    const Index from = stride * first - pad, to = from + stride * (count - 1) + dilation * (kernel - 1) + 1;
    const Index begin = std::clamp<Index>(from, 0, large);
    return Axis{begin, std::clamp<Index>(to, begin, large) - begin, begin - from};
  };
  const auto& w = whole;
  const Axis y = along(w.large.h, top, part.h, w.kernel.y, w.stride.y, w.pad.y, w.dilation.y),
             x = along(w.large.w, left, part.w, w.kernel.x, w.stride.x, w.pad.x, w.dilation.x);
  CroppedConvolution crop{whole, {x.begin, y.begin, x.size, y.size}};
  crop.problem.large.h = y.size, crop.problem.large.w = x.size;
  crop.problem.small.h = part.h, crop.problem.small.w = part.w;
  crop.problem.pad = {y.pad, x.pad};
  return crop;
}

NUCDET_INLINE Conv2dProblem same_convolution(const Shape& x, Index filters, Axes kernel, Axes stride, Rounding rounding,
                                             Axes dilation) {
  const bool up = rounding == Rounding::ceil;
  const Shape y{x.n, (x.h + (up ? stride.y - 1 : 0)) / stride.y, (x.w + (up ? stride.x - 1 : 0)) / stride.x, filters};
  if (y.h < 1 || y.w < 1) throw ShapeError(message("Conv: input ", x, " is smaller than the stride ", stride));
  return {x, y, kernel, stride, Axes(dilation.y * (kernel.y - 1) / 2, dilation.x * (kernel.x - 1) / 2), dilation};
}

NUCDET_INLINE Conv2dProblem padded_convolution(const Shape& x, Index filters, Axes kernel, Axes stride, Axes pad,
                                               Axes dilation) {
  const Index h = x.h + 2 * pad.y - dilation.y * (kernel.y - 1) - 1,
              w = x.w + 2 * pad.x - dilation.x * (kernel.x - 1) - 1;
  if (h < 0 || w < 0)
    throw ShapeError(message("Conv: input ", x, " with padding ", pad, " is smaller than the kernel ", kernel));
  return {x, {x.n, h / stride.y + 1, w / stride.x + 1, filters}, kernel, stride, pad, dilation};
}

NUCDET_INLINE Conv2dProblem transposed_convolution(const Shape& x, Index filters, Axes kernel, Axes stride, Axes pad,
                                                   Axes output_pad) {
  const Shape y{x.n, stride.y * (x.h - 1) + kernel.y - 2 * pad.y + output_pad.y,
                stride.x * (x.w - 1) + kernel.x - 2 * pad.x + output_pad.x, filters};
  if (x.h < 1 || x.w < 1 || y.h < 1 || y.w < 1)
    throw ShapeError(message("TransposedConv: input ", x, " gives the empty output ", y));
  return {y, x, kernel, stride, pad};
}

#endif

}  // namespace nucdet::ops

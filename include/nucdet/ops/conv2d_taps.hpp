#pragma once
#include <algorithm>
#include <numeric>

#include "nucdet/ops/conv2d_problem.hpp"

/// A convolution of any stride and dilation as correlations of stride 1, one for each phase of the large side (View::
/// phase), and of any groups as one convolution for each group.
namespace nucdet::ops::detail {

/// The taps of one axis that meet a phase of the large side: kernel positions first, first + step, ... `count` of them.
/// Position first + t step reads pixel i + shift + t spacing of that phase for output pixel i.
struct Taps {
  Index first = 0, count = 0, shift = 0, step = 1, spacing = 1;
};
inline Taps taps_of_phase(Index kernel, Index stride, Index pad, Index dilation, Index phase) {
  const Index common = std::gcd(stride, dilation);
  Taps taps{0, 0, 0, stride / common, dilation / common};
  for (Index k = 0; k < std::min(kernel, taps.step); ++k) {
    const Index at = dilation * k - pad - phase;
    if (at % stride != 0) continue;
    taps.first = k, taps.count = (kernel - k + taps.step - 1) / taps.step, taps.shift = at / stride;
    break;
  }
  return taps;
}
inline Taps rows_of_phase(const Conv2dProblem& p, Index phase) {
  return taps_of_phase(p.kernel.y, p.stride.y, p.pad.y, p.dilation.y, phase);
}
inline Taps columns_of_phase(const Conv2dProblem& p, Index phase) {
  return taps_of_phase(p.kernel.x, p.stride.x, p.pad.x, p.dilation.x, phase);
}

/// Calls body(taps that lie side by side): all of them, or one by one where dilation keeps them apart.
template <class Body>
void for_each_run(const Taps& taps, const Body& body) {
  if (taps.count < 2 || taps.spacing == 1) {
    if (taps.count > 0) body(taps);
    return;
  }
  for (Index t = 0; t < taps.count; ++t)
    body(Taps{taps.first + t * taps.step, 1, taps.shift + t * taps.spacing, taps.step, 1});
}
/// Calls body(rows, columns) for the rectangles of such taps in phase (a, b).
template <class Body>
void for_each_block(const Conv2dProblem& p, Index a, Index b, const Body& body) {
  for_each_run(rows_of_phase(p, a), [&](const Taps& rows) {
    for_each_run(columns_of_phase(p, b), [&](const Taps& columns) { body(rows, columns); });
  });
}
/// Calls body(a, b, rows, columns) for those of every phase: together all taps of the kernel, once each, in an order
/// that the kernel decides and the padding does not, so that a part of a map has the sums of the whole.
template <class Body>
void for_each_block(const Conv2dProblem& p, const Body& body) {
  const auto phase = [](Index k, Index stride, Index pad) { return ((k - pad) % stride + stride) % stride; };
  for (Index ky = 0; ky < p.stride.y; ++ky)
    for (Index kx = 0; kx < p.stride.x; ++kx) {
      const Index a = phase(ky, p.stride.y, p.pad.y), b = phase(kx, p.stride.x, p.pad.x);
      for_each_block(p, a, b, [&](const Taps& rows, const Taps& columns) { body(a, b, rows, columns); });
    }
}

/// Calls body(problem without groups, first large channel, first small channel, first weight) for each group.
template <class Body>
void for_each_group(const Conv2dProblem& p, const Body& body) {
  Conv2dProblem part = p;
  part.large.c = p.group_inputs(), part.small.c = p.group_outputs(), part.groups = 1;
  for (Index g = 0; g < p.groups; ++g) body(part, g * part.large.c, g * part.small.c, g * part.weights());
}

}  // namespace nucdet::ops::detail

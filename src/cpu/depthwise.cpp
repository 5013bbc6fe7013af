#include <algorithm>

#include "nucdet/ops/correlate.hpp"

#include "cpu/convolution.hpp"

namespace nucdet::cpu {

namespace {

/// One row of slopes and the rows of x under its taps, in whole panels.
struct SlopeRows {
  const Isa& isa;
  const ops::Conv2dProblem& p;
  View<const float> x, dy;

  Index columns() const { return (dy.shape.w - 1) * p.stride.x + (p.kernel.x - 1) * p.dilation.x + 1; }
  Index window() const { return p.kernel.y * columns() * x.shape.c + isa.panel; }
  Index slopes() const { return dy.shape.w * dy.shape.c + isa.panel; }

  /// sums[panel][tap][panel's channels] += what row `row` of the batch gives.
  void add(Index row, float* window, float* slopes, float* sums, Index* offsets) const {
    const Index n = row / dy.shape.h, y = row % dy.shape.h, c = x.shape.c, taps = p.kernel.count();
    for (Index ky = 0; ky < p.kernel.y; ++ky)
      ops::detail::copy_padded(x, n, y * p.stride.y + ky * p.dilation.y - p.pad.y, -p.pad.x, 1, columns(),
                               window + ky * columns() * c);
    ops::detail::copy_padded(dy, n, y, Index{0}, Index{1}, dy.shape.w, slopes);
    std::fill_n(window + p.kernel.y * columns() * c, isa.panel, 0.0f);
    std::fill_n(slopes + dy.shape.w * c, isa.panel, 0.0f);
    for (Index k = 0; k < taps; ++k) offsets[k] = (k / p.kernel.x * columns() + k % p.kernel.x * p.dilation.x) * c;
    for (Index panel = 0; panel < panels(isa, c); ++panel)
      isa.depthwise_gradient({window + panel * isa.panel, p.stride.x * c, offsets, taps, slopes + panel * isa.panel, c,
                              dy.shape.w, sums + panel * taps * isa.panel});
  }
};

}  // namespace

/// Rows are dealt to strips, by the shapes alone; each strip has sums of its own, added in order.
void weight_gradient_depthwise(Context<Cpu>& context, const Isa& isa, const ops::Conv2dProblem& p, View<const float> x,
                               View<const float> dy, float* dweight) {
  if (dy.shape.count() == 0 || x.shape.count() == 0) return;
  const SlopeRows work{isa, p, x, dy};
  constexpr Index kMostStrips = 32;
  const Index rows = dy.shape.n * dy.shape.h, strips = std::min(rows, kMostStrips), taps = p.kernel.count();
  const Index size = panels(isa, x.shape.c) * taps * isa.panel;
  Tensor<Cpu> memory = context.zeros({strips, 1, 1, size});
  float* const sums = memory.view<float>().data;
  const auto windows = context.scratch<float>(work.window());
  const auto slopes = context.scratch<float>(work.slopes());
  const auto offsets = context.scratch<Index>(taps);
  context.run(strips, [&](Index strip, int worker) {
    for (Index row = piece_begin(rows, strips, strip); row < piece_begin(rows, strips, strip + 1); ++row)
      work.add(row, windows[worker], slopes[worker], sums + strip * size, offsets[worker]);
  });
  for (Index c = 0; c < x.shape.c; ++c)
    for (Index tap = 0; tap < taps; ++tap) {
      const Index at = (c / isa.panel * taps + tap) * isa.panel + c % isa.panel;
      float sum = 0;
      for (Index strip = 0; strip < strips; ++strip) sum += sums[strip * size + at];
      dweight[c * taps + tap] += sum;
    }
}

}  // namespace nucdet::cpu

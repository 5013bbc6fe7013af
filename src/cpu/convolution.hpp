#pragma once
#include <span>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/epilogue.hpp"

#include "cpu/isa.hpp"

/// The convolution kernels of nucdet::cpu. Every pass is a correlation, or one for each phase of a strided output.
namespace nucdet::cpu {

/// Filters in any order: filter o, input c, tap (ky, kx) is
/// data[o by_output + c by_input + ky by_row + kx by_column].
struct Filters {
  const float* data = nullptr;
  Index by_output = 0, by_input = 0, by_row = 0, by_column = 0;
  Index outputs = 0, inputs = 0, rows = 0, columns = 0;
};

/// y(i, j) = epilogue(sum over ky, kx of x(stride i + spacing ky - off_y, stride j + spacing kx - off_x)
/// filters(ky, kx)), zeros outside x; stride and spacing of each axis.
struct Correlation {
  View<const float> x;
  Filters filters;  ///< depthwise: one input, which is the output's own channel
  ops::Axes stride = 1, spacing = 1;
  Index off_y = 0, off_x = 0;
  ops::Epilogue<float> epilogue;
  View<float> y;
  bool depthwise = false;
  ops::Axes place = 0;  ///< of the first tap in the taps that Winograd's transforms reckon with

  /// Rows or columns of x under the taps of one output.
  Index height() const { return (filters.rows - 1) * spacing.y + 1; }
  Index width() const { return (filters.columns - 1) * spacing.x + 1; }
};

/// Cuts of a map, from the shapes alone: what a chunk of work is never depends on the number of threads.
inline Index pieces(Index size, Index most) { return (size + most - 1) / most; }
inline Index piece_begin(Index size, Index count, Index piece) { return size * piece / count; }

inline Index panels(const Isa& isa, Index channels) { return pieces(channels, isa.panel); }

/// Where image n, row `row`, column `column`, panel `panel` of y goes.
Store store_at(const Isa& isa, const Correlation& c, const float* padded_bias, Index n, Index row, Index column,
               Index panel);
/// The bias, or zeros, with zeros up to whole panels.
DeviceArray<float, Cpu> padded_bias(Context<Cpu>& context, const Isa& isa, const float* bias, Index channels);

/// Plain sums. The correlations are the phases of one output: all from the same x, taken together tile by tile.
void correlate_direct(Context<Cpu>& context, const Isa& isa, std::span<const Correlation> phases);
void weight_gradient_direct(Context<Cpu>& context, const Isa& isa, const ops::Conv2dProblem& problem,
                            View<const float> x, View<const float> dy, float* dweight);
void weight_gradient_depthwise(Context<Cpu>& context, const Isa& isa, const ops::Conv2dProblem& problem,
                               View<const float> x, View<const float> dy, float* dweight);

/// What a pass makes: a map (forward, and the gradient of the input), or the gradient of the weights.
enum class Pass { map, weights };
/// The transforms that `method` means for a problem without gaps and groups, or for the phases of a strided one, and
/// these channels; null if there are none. The size of the map has no say: tiles of one image come in several sizes,
/// and other transforms would give them other roundings.
const Winograd* winograd_for(const Isa& isa, ConvolutionMethod method, Pass pass, const ops::Conv2dProblem& problem,
                             Index inputs, Index outputs);
/// What correlations have in common: the output, whose terms they are, or the input, of which they make the phases of
/// an output. Of the terms each has an x of its own; the epilogue is the first one's.
enum class Sharing { input, output };
void correlate_winograd(Context<Cpu>& context, const Isa& isa, const Winograd& f, Sharing sharing,
                        std::span<const Correlation> parts);
void weight_gradient_winograd(Context<Cpu>& context, const Isa& isa, const Winograd& f,
                              const ops::Conv2dProblem& problem, View<const float> x, View<const float> dy,
                              float* dweight);

}  // namespace nucdet::cpu

#pragma once
#include <cstdint>

#include "nucdet/ops/activation_functors.hpp"

/// What a build for one instruction set offers the rest of src/cpu: plain structs and function pointers.
///
/// The files behind it (src/cpu/isa) are compiled once for every instruction set. They include no containers and leave
/// no function that the linker could merge with another file's: a program must not run AVX-512 because some inline
/// function of the standard library happened to be taken from there. tests/cpu/check_symbols.sh looks after that.
namespace nucdet::cpu {

using Index = std::int64_t;

/// Where sums go: y = last(first(sum + bias) + residual), `channels` of them, at most a panel, at each pixel.
struct Store {
  const float* bias = nullptr;  ///< a whole panel, or null
  ops::Fused first, last;
  const float* residual = nullptr;
  Index residual_row = 0, residual_pixel = 0;
  float* y = nullptr;
  Index row = 0, pixel = 0;
  Index channels = 0;
};

/// One row of output pixels of one panel: y(j) = sum over runs and k < length of x[offsets[run] + j x_pixel + k]
/// weights[run][k].
struct DirectRow {
  const float* x = nullptr;
  Index x_pixel = 0, pixels = 0;
  const Index* offsets = nullptr;
  Index runs = 0, length = 0;
  const float* weights = nullptr;  ///< [runs][length][panel]
  bool fresh = false;              ///< no panel before this one has read x
  Store store;
};

/// A map as transforms read it: rows and columns outside are zeros.
struct Map {
  const float* data = nullptr;
  Index row = 0, pixel = 0, height = 0, width = 0, channels = 0;
};

/// Winograd's minimal filtering F(m x m, r x r): see isa/points.hpp. A strip is up to kStrip neighbouring tiles of one
/// row of tiles; a plane holds one of the n x n points, [tile][channel].
inline constexpr int kStrip = 4;
/// Inputs whose filters are transformed at a time, at most.
inline constexpr int kFilterInputs = 16;
struct Winograd {
  int m = 0, r = 0, n = 0;
  /// v[point][tile][channel] = B' d B of the tiles whose first input pixels are (y0, x0), (y0, x0 + m), ... Tiles are
  /// `tile` floats apart.
  void (*input)(const Map& x, Index y0, Index x0, Index tiles, float* v, Index tile, Index plane) = nullptr;
  /// u[point][input][panel] = G g G' of one panel of filters. Filter o, input c, tap (ky, kx):
  /// w[o by_output + c by_input + ky by_row + kx by_column]. There are rows x columns of them, the first at (place_y,
  /// place_x) of the r x r; the others are zeros.
  struct Filters {
    const float* w;
    Index by_output, by_input, by_row, by_column, inputs, outputs, rows, columns, place_y, place_x;
  };
  void (*filters)(const Filters& g, float* u, Index plane) = nullptr;
  /// Stores A' p A, of the products p[point][tile][panel] of a strip, to at most height x width pixels.
  void (*output)(const float* p, Index plane, Index tiles, Index height, Index width, const Store& store) = nullptr;
  /// d[point][tile][channel] = A s A' of tiles of slopes: output's transpose. Tiles are `tile` floats apart.
  void (*slopes)(const Map& s, Index y0, Index x0, Index tiles, float* d, Index tile, Index plane) = nullptr;
  /// g += G' q G for inputs `first` to `last` of q[point][input][row of outputs]: filters' transpose.
  struct FilterGradients {
    float* g;
    Index by_output, by_input, by_row, by_column, outputs, row;
  };
  void (*filter_gradients)(const float* q, Index plane, const FilterGradients& g, Index first, Index last) = nullptr;
};

/// One row of slopes of one panel of a depthwise weight gradient: sums[tap][panel] += sum over j of x[offsets[tap] +
/// j x_pixel + c] d[j d_pixel + c].
struct DepthwiseSlopes {
  const float* x = nullptr;
  Index x_pixel = 0;
  const Index* offsets = nullptr;
  Index taps = 0;
  const float* d = nullptr;
  Index d_pixel = 0, pixels = 0;
  float* sums = nullptr;
};

/// Outputs of the largest panel.
inline constexpr int kMostPanel = 32;

struct Isa {
  const char* name;
  int lanes;  ///< floats in a register
  int panel;  ///< outputs that one product computes at a time: two registers
  bool (*available)();
  /// c[rows][panel] = a[rows][depth] b[depth][panel], or += with `add`; of the panel at least the first `outputs`.
  void (*product)(Index rows, Index depth, const float* a, Index lda, const float* b, float* c, Index ldc,
                  Index outputs, bool add);
  /// c[rows][cols] += sum over depth of a[depth][rows] b[depth][cols], and of the columns up to whole registers.
  void (*product_transposed)(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b, Index ldb,
                             float* c, Index ldc);
  void (*direct)(const DirectRow& row);
  /// The same for a depthwise convolution: runs of length 1, x and the outputs of the same channels. x is read in whole
  /// panels.
  void (*depthwise)(const DirectRow& row);
  void (*depthwise_gradient)(const DepthwiseSlopes& row);
  const Isa* narrower;   ///< for channels that do not fill these registers, or null
  Winograd winograd[6];  ///< F(2,3), F(4,3), F(6,3), F(2,5), F(4,5), F(5,2)
};

extern const Isa kPortable;
#ifdef NUCDET_CPU_X86
extern const Isa kAvx2, kAvx512;
#endif

}  // namespace nucdet::cpu

#pragma once
#include "nucdet/core/context.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/epilogue.hpp"

namespace nucdet::cpu {

/// The CPU kernels that a compiled library may replace: plain function pointers, float only. A Context that is given
/// none uses the header-only functions of ops/conv2d.hpp, which also serve as the oracle for any table.
struct Kernels {
  /// y = epilogue(convolution of x), x: problem.large, y: problem.small.
  void (*convolution)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> x, const float* weight,
                      const ops::Epilogue<float>&, View<float> y);
  /// dx = epilogue(data gradient), dy: problem.small, dx: problem.large. Also the transposed convolution.
  void (*data_gradient)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> dy, const float* weight,
                        const ops::Epilogue<float>&, View<float> dx);
  /// dweight += weight gradient.
  void (*weight_gradient)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> x, View<const float> dy,
                          float* dweight);
};

}  // namespace nucdet::cpu

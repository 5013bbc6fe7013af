#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "nucdet/core/context.hpp"

namespace nucdet::ops {
struct Conv2dProblem;  // ops/conv2d_problem.hpp
template <class T>
struct Epilogue;  // ops/epilogue.hpp
}  // namespace nucdet::ops

namespace nucdet::cpu {

struct Isa;

/// One of several maps that a convolution reads side by side in the channels, and where its first pixel lies in the
/// problem's large side.
struct Source {
  View<const float> x;
  Index top = 0, left = 0;
};

/// The CPU kernels of nucdet::cpu for one instruction set: plain function pointers, float only. A Context that is given
/// none uses the header-only functions of ops/conv2d.hpp, which also serve as the oracle for any table.
struct Kernels {
  const char* name;  ///< "portable", "avx2", "avx512"
  /// y = epilogue(convolution of x), x: problem.large, y: problem.small.
  void (*convolution)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> x, const float* weight,
                      const ops::Epilogue<float>&, View<float> y);
  /// dx = epilogue(data gradient), dy: problem.small, dx: problem.large. Also the transposed convolution.
  void (*data_gradient)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> dy, const float* weight,
                        const ops::Epilogue<float>&, View<float> dx);
  /// dweight += weight gradient.
  void (*weight_gradient)(Context<Cpu>&, const ops::Conv2dProblem&, View<const float> x, View<const float> dy,
                          float* dweight);
  /// Whether these kernels can join maps of these channels; null: never.
  bool (*joins)(const Context<Cpu>&, const ops::Conv2dProblem&, std::span<const Index> channels) = nullptr;
  /// The convolution of maps that are never put together: the bits are those of the convolution of their concatenation.
  void (*joined_convolution)(Context<Cpu>&, const ops::Conv2dProblem&, std::span<const Source>, const float* weight,
                             const ops::Epilogue<float>&, View<float> y) = nullptr;
  const Isa* isa = nullptr;  ///< what they are made of: src/cpu/isa.hpp
};

/// Those that this machine can run, the best one last.
std::vector<const Kernels*> available_kernels();
/// By name. Throws ArgumentError if there is none of that name or the machine cannot run it.
const Kernels* kernels(std::string_view name);

}  // namespace nucdet::cpu

#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "nucdet/core/dtype.hpp"
#include "nucdet/core/shape.hpp"

#include "cuda/cudnn_api.hpp"

/// A cuDNN without a device: it checks descriptors more strictly than the real one does, and runs graphs by plain loops
/// over host memory. What passes here proves sizes, strides, paddings and the order of operations; not that the real
/// library has an engine for them.
namespace nucdet_test {

using nucdet::DType;
using nucdet::Index;

/// An engine that the heuristics offer. All engines compute the same.
struct FakeEngine {
  std::int64_t number = 0;
  std::vector<cudnnBackendNumericalNote_t> notes;
  cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;  ///< the heuristics that offer it
  std::int64_t workspace = 0;                       ///< bytes
  bool works = true;                                ///< false: no execution plan can be made of it
};

struct FakeCudnnOptions {
  std::vector<FakeEngine> engines = {
      {0, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}}, {1, {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}}, {2, {}}};
  bool fused_graphs = true;  ///< graphs of more than one operation have engines
  bool sliced_maps = true;   ///< maps whose pixels lie apart have engines
  bool wide_results = true;  ///< f32 results of bf16 and f16 maps have engines
  /// Called with the work of each execute, to run now or later; at once if empty.
  std::function<void(std::function<void()>)> queue{};
};

/// A table of functions like nucdet::cuda::cudnn_api(). There is one fake: the options hold from now on.
const nucdet::cuda::CudnnApi& fake_cudnn(FakeCudnnOptions options = {});

/// What the emulated library's cuDNN offers to contexts made from now on.
FakeCudnnOptions& emulated_cudnn();

/// How many descriptors exist, to find leaks.
std::size_t fake_cudnn_descriptors();

/// Element i of an array of f32, bf16 or f16 numbers. Stores round to the nearest, ties to even.
double load_element(DType type, const void* array, Index i);
void store_element(DType type, void* array, Index i, double value);

}  // namespace nucdet_test

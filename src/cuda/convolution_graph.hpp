#pragma once
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "convolution_request.hpp"
#include "cudnn_descriptor.hpp"

namespace nucdet::cuda {

/// Names of the tensors of a graph. The steps of the epilogue pass results on under kFirstVirtual and above.
enum TensorId : std::int64_t { kLarge = 1, kSmall, kWeight, kBias, kResidual, kFirstVirtual };

/// The description of a tensor in cuDNN's order of dimensions: n, c, h, w.
struct TensorText {
  std::int64_t id = 0;
  DType type = DType::f32;
  std::array<std::int64_t, 4> dims{}, strides{};
  Index alignment = kMostAlignment;
  bool is_virtual = false;
};

/// One operation after the convolution: result = mode(previous result, other).
struct PointwiseStep {
  cudnnPointwiseMode_t mode = CUDNN_POINTWISE_ADD;
  double parameter = 0;
  std::optional<TensorText> other;
};

/// Whether cuDNN has an operation for the activation (or for none): a graph is made of such only.
bool has_operation(const ops::Fused& fused);

/// The operation graph of a request. cuDNN copies what a finalized descriptor refers to, but the copies are only
/// promised while the graph is searched: all parts live as long as this.
class ConvolutionGraph {
 public:
  /// `copies`: an identity stores the result.
  ConvolutionGraph(const CudnnApi& api, cudnnHandle_t handle, const ConvolutionRequest& request, const UsedExtent& used,
                   bool copies);

  const Descriptor& whole() const { return whole_; }
  /// The tensors that lie in memory, the result among them.
  const std::vector<TensorText>& memory() const { return memory_; }
  std::int64_t result_id() const { return result_id_; }

 private:
  struct Tensors;

  /// The descriptor of a tensor, made at its first use: operations are linked by the tensors they share.
  const Descriptor& tensor(const TensorText& t);
  Descriptor geometry(const ops::Conv2dProblem& p, const UsedExtent& used) const;
  void add_convolution(const ConvolutionRequest& request, const UsedExtent& used, const Tensors& tensors,
                       const TensorText& result);
  void add_pointwise(const PointwiseStep& step, const TensorText& from, const TensorText& to);

  const CudnnApi& api_;
  std::vector<std::pair<std::int64_t, std::unique_ptr<Descriptor>>> tensors_;
  std::vector<Descriptor> parts_, operations_;
  Descriptor whole_;
  std::vector<TensorText> memory_;
  std::int64_t result_id_ = 0;
};

}  // namespace nucdet::cuda

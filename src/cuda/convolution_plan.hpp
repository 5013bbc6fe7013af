#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "convolution_request.hpp"
#include "cudnn_descriptor.hpp"

namespace nucdet::cuda {

/// Device pointers. Forward reads large and weight, a data gradient small and weight, a weight gradient large and
/// small; what is not read may be null. The result is the small map, the large map, or the dense weights.
struct ConvolutionArguments {
  const void* large = nullptr;
  const void* small = nullptr;
  const void* weight = nullptr;
  void* result = nullptr;
  const float* bias = nullptr;
  const void* residual = nullptr;
  void* workspace = nullptr;  ///< workspace_bytes() of them
};

/// One engine of cuDNN, chosen and compiled for a request. Results are overwritten, never added to.
class ConvolutionPlan {
 public:
  /// The first engine in cuDNN's order of preference that obeys the request; null, and why, if there is none.
  static std::unique_ptr<ConvolutionPlan> find(const CudnnApi& api, cudnnHandle_t handle,
                                               const ConvolutionRequest& request, std::string& why_not);
  /// The first `most` of them, in that order.
  static std::vector<std::unique_ptr<ConvolutionPlan>> candidates(const CudnnApi& api, cudnnHandle_t handle,
                                                                  const ConvolutionRequest& request, std::size_t most,
                                                                  std::string& why_not);

  std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// False if a data gradient leaves the last rows or columns of the large map unwritten, from used() on. No weight
  /// meets those: their sum is zero, and the epilogue of zero is for the caller to write.
  bool covers_large() const { return covers_large_; }
  const UsedExtent& used() const { return used_; }
  /// Engine number, knobs, notes and workspace, for logs.
  const std::string& describe() const { return description_; }

  /// Queues the work on the handle's stream. Throws ArgumentError for a pointer that is null or not aligned.
  void run(const ConvolutionArguments& arguments) const;

 private:
  friend class PlanSearch;

  /// A pointer that the engine asks for.
  struct Binding {
    std::int64_t id = 0;
    Index alignment = 1;
  };

  ConvolutionPlan(Descriptor plan, Descriptor configuration)
      : plan_(std::move(plan)), configuration_(std::move(configuration)) {}

  const CudnnApi* api_ = nullptr;
  cudnnHandle_t handle_ = nullptr;
  Descriptor plan_, configuration_;
  std::vector<Binding> bindings_;
  std::int64_t result_id_ = 0;
  std::size_t workspace_bytes_ = 0;
  UsedExtent used_;
  bool covers_large_ = true;
  std::string request_, description_;
};

}  // namespace nucdet::cuda

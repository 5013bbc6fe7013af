#include "convolution_engine.hpp"

/// A build without cuDNN: nothing is ever done here.
namespace nucdet::cuda {

struct ConvolutionEngine::Plans {
  std::vector<std::string> log{"nucdet was built without cuDNN: convolutions are plain sums"};
};

ConvolutionEngine::ConvolutionEngine(const CudaOptions&, cudaStream_t) : plans_(std::make_unique<Plans>()) {}
ConvolutionEngine::~ConvolutionEngine() = default;
const std::vector<std::string>& ConvolutionEngine::log() const { return plans_->log; }

template <class T>
bool ConvolutionEngine::forward(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>, const T*,
                                const ops::Epilogue<T>&, View<T>) {
  return false;
}
template <class T>
bool ConvolutionEngine::data_gradient(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>, const T*,
                                      const ops::Epilogue<T>&, View<T>) {
  return false;
}
template <class T>
bool ConvolutionEngine::weight_gradient(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>, View<const T>,
                                        compute_t<T>*) {
  return false;
}

NUCDET_CONVOLUTION_ENGINE(float)
NUCDET_CONVOLUTION_ENGINE(bf16)
NUCDET_CONVOLUTION_ENGINE(f16)

}  // namespace nucdet::cuda

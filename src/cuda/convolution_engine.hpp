#pragma once
#include <memory>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include "nucdet/core/context.hpp"
#include "nucdet/ops/conv2d_problem.hpp"
#include "nucdet/ops/epilogue.hpp"

namespace nucdet::cuda {

/// Convolutions by cuDNN, one plan a problem, made when it is first met. Each call answers whether it was done: where
/// no engine fits, plain sums do the work (convolution.cpp).
class ConvolutionEngine {
 public:
  ConvolutionEngine(const CudaOptions& options, cudaStream_t stream);
  ~ConvolutionEngine();
  ConvolutionEngine(const ConvolutionEngine&) = delete;
  ConvolutionEngine& operator=(const ConvolutionEngine&) = delete;

  template <class T>
  bool forward(Context<Cuda>& context, const ops::Conv2dProblem& problem, View<const T> x, const T* weight,
               const ops::Epilogue<T>& epilogue, View<T> y);
  template <class T>
  bool data_gradient(Context<Cuda>& context, const ops::Conv2dProblem& problem, View<const T> dy, const T* weight,
                     const ops::Epilogue<T>& epilogue, View<T> dx);
  /// Adds to dweight.
  template <class T>
  bool weight_gradient(Context<Cuda>& context, const ops::Conv2dProblem& problem, View<const T> x, View<const T> dy,
                       compute_t<T>* dweight);

  /// What was chosen for each problem, or why nothing was: one line each, in the order in which they were met.
  const std::vector<std::string>& log() const;

 private:
  struct Plans;
  std::unique_ptr<Plans> plans_;
};

}  // namespace nucdet::cuda

// What each of the two implementations must bring, for one element type.
#define NUCDET_CONVOLUTION_ENGINE(T)                                                                              \
  template bool ConvolutionEngine::forward<T>(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>, const T*, \
                                              const ops::Epilogue<T>&, View<T>);                                  \
  template bool ConvolutionEngine::data_gradient<T>(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>,     \
                                                    const T*, const ops::Epilogue<T>&, View<T>);                  \
  template bool ConvolutionEngine::weight_gradient<T>(Context<Cuda>&, const ops::Conv2dProblem&, View<const T>,   \
                                                      View<const T>, compute_t<T>*);

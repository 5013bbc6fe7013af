#pragma once
#include <functional>

#include "nucdet/nn/parameters.hpp"
#include "nucdet/ops/activation_functors.hpp"
#include "nucdet/ops/conv2d_problem.hpp"

/// What a layer may tell the passes (passes.hpp, training_pass.hpp) about itself, so that they can take it into the
/// layer before it. Layers of one's own say it by the same virtual functions.
namespace nucdet::nn {

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta for each channel. A parameter without a store is not there:
/// gamma and variance are then 1, mean and beta 0.
template <class Device>
struct AffineView {
  Parameter<Device> gamma, beta, mean, variance;
  double epsilon = 0;
};

/// One convolution, with weights as ops::Conv2dProblem has them and, where it has a store, a bias. `problem` must not
/// refer to the layer: what is made of it may live longer.
template <class Device>
struct ConvolutionView {
  std::function<ops::Conv2dProblem(const Shape& input)> problem;
  Parameter<Device> weight, bias;
  Index outputs = 0;
  bool transposed = false;  ///< the input is the problem's small side; then without groups
};

}  // namespace nucdet::nn

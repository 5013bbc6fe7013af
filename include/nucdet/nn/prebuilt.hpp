#pragma once
/// What the library nucdet::cpu holds ready-made: the built-in layers, programs and inference passes on the CPU.
/// Linking it defines NUCDET_PREBUILT; without it, every file that uses them compiles them again.
#include "nucdet/nn/passes.hpp"
#include "nucdet/nn/summary.hpp"

#ifndef NUCDET_PREBUILT_TEMPLATE
#define NUCDET_PREBUILT_TEMPLATE extern template  // the library's own file makes it `template`
#endif

namespace nucdet::nn {

NUCDET_PREBUILT_TEMPLATE class ParameterStore<Cpu>;
NUCDET_PREBUILT_TEMPLATE class Program<Cpu>;
NUCDET_PREBUILT_TEMPLATE class Model<Cpu>;
NUCDET_PREBUILT_TEMPLATE InferenceProgram<Cpu> for_inference(const Model<Cpu>&);
NUCDET_PREBUILT_TEMPLATE CostTable cost_table(const Model<Cpu>&, const Shape&);
NUCDET_PREBUILT_TEMPLATE std::string summary(const Model<Cpu>&, const Shape&);

NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ops::Elu, Cpu>;
NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ops::Relu, Cpu>;
NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ops::LeakyRelu, Cpu>;
NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ops::Sigmoid, Cpu>;
NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ScaledSigmoidFunction, Cpu>;
NUCDET_PREBUILT_TEMPLATE class ActivationLayer<ScaleFunction, Cpu>;
NUCDET_PREBUILT_TEMPLATE class AddLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class ConcatLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class ConvLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class TransposedConvLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class FusedConvLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class ChannelDropoutLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class NormalizationLayer<Cpu>;
NUCDET_PREBUILT_TEMPLATE class PoolLayer<Pooling::maximum, Cpu>;
NUCDET_PREBUILT_TEMPLATE class PoolLayer<Pooling::average, Cpu>;
NUCDET_PREBUILT_TEMPLATE class UpsampleLayer<Interpolation::nearest, Cpu>;
NUCDET_PREBUILT_TEMPLATE class UpsampleLayer<Interpolation::bilinear, Cpu>;

}  // namespace nucdet::nn

#pragma once
/// What the libraries hold ready-made: the built-in layers, programs and passes, by nucdet::cpu for the CPU and by
/// nucdet::cuda for a GPU. Linking the first defines NUCDET_PREBUILT, the second NUCDET_WITH_CUDA; without them, every
/// file that uses them compiles them again.
#include "nucdet/core/config.hpp"
#include "nucdet/nn/dot.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/nn/summary.hpp"

#define NUCDET_PREBUILT_ACTIVATION(F, name, make, D) make class ActivationLayer<ops::F, D>;
#define NUCDET_PREBUILT_FOR(make, D)                        \
  make class ParameterStore<D>;                             \
  make class Program<D>;                                    \
  make class ProgramBuilder<D>;                             \
  make class Model<D>;                                      \
  make InferenceProgram<D> for_inference(const Model<D>&);  \
  make CostTable cost_table(const Model<D>&, const Shape&); \
  make std::string summary(const Model<D>&, const Shape&);  \
  make std::string dot(const Model<D>&, const Shape&);      \
  NUCDET_ACTIVATIONS(NUCDET_PREBUILT_ACTIVATION, make, D)   \
  make class AddLayer<D>;                                   \
  make class ConcatLayer<D>;                                \
  make class ConvLayer<D>;                                  \
  make class TransposedConvLayer<D>;                        \
  make class FusedConvLayer<D>;                             \
  make class DropoutLayer<Dropping::elements, D>;           \
  make class DropoutLayer<Dropping::channels, D>;           \
  make class LayerNormLayer<D>;                             \
  make class MultiplyLayer<D>;                              \
  make class PixelShuffleLayer<D>;                          \
  make class GlobalPoolLayer<Pooling::maximum, D>;          \
  make class GlobalPoolLayer<Pooling::average, D>;          \
  make class NormalizationLayer<D>;                         \
  make class PoolLayer<Pooling::maximum, D>;                \
  make class PoolLayer<Pooling::average, D>;                \
  make class UpsampleLayer<Interpolation::nearest, D>;      \
  make class UpsampleLayer<Interpolation::bilinear, D>;

namespace nucdet::nn {

#ifdef NUCDET_PREBUILT
NUCDET_PREBUILT_FOR(NUCDET_PREBUILT_CPU, Cpu)
#endif
#ifdef NUCDET_WITH_CUDA
NUCDET_PREBUILT_FOR(NUCDET_PREBUILT_CUDA, Cuda)
NUCDET_PREBUILT_CUDA Program<Cuda> for_training(const Program<Cuda>&);
#endif

}  // namespace nucdet::nn

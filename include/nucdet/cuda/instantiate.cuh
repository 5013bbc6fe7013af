#pragma once
/// What it takes to run a functor of one's own on the GPU: one line in a .cu file that is compiled by nvcc and linked
/// to the program. Host code only declares the executors; these lines make them for the functor.
///
///   #include <nucdet/cuda/instantiate.cuh>
///   NUCDET_CUDA_LOSS(Huber)
#include "nucdet/cuda/parallel_for.cuh"
#include "nucdet/cuda/reduce.cuh"
#include "nucdet/cuda/rows.cuh"
#include "nucdet/data/crop_kernel.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/ops/activation.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/norm_kernels.hpp"
#include "nucdet/optim/step.hpp"

// The executors, for one kernel each. The kernel comes last: its name may hold commas.
#define NUCDET_CUDA_PARALLEL_FOR(...)                                                                         \
  template void nucdet::exec::parallel_for<__VA_ARGS__>(nucdet::Context<nucdet::Cuda>&, const nucdet::Shape&, \
                                                        const __VA_ARGS__&);
#define NUCDET_CUDA_RUN_ROWS(T, inputs, ...)                    \
  template void nucdet::exec::run_rows<T, __VA_ARGS__, inputs>( \
      nucdet::Context<nucdet::Cuda>&, const nucdet::exec::detail::RunKernel<T, __VA_ARGS__, inputs>&);
#define NUCDET_CUDA_REDUCE_ROWS(terms, ...)                                                                         \
  template void nucdet::exec::reduce_rows<terms, __VA_ARGS__>(nucdet::Context<nucdet::Cuda>&, const nucdet::Shape&, \
                                                              const __VA_ARGS__&, double*);
#define NUCDET_CUDA_REDUCE_COLUMNS(T, terms, ...)                    \
  template void nucdet::exec::reduce_columns<T, terms, __VA_ARGS__>( \
      nucdet::Context<nucdet::Cuda>&, const nucdet::Shape&, nucdet::Index, const __VA_ARGS__&, double*);

/// An ops::Activation, alone and fused behind a normalisation or a sum.
#define NUCDET_CUDA_ACTIVATION_OF(T, F)                                   \
  NUCDET_CUDA_RUN_ROWS(T, 1, nucdet::ops::detail::Activate<T, F>)         \
  NUCDET_CUDA_RUN_ROWS(T, 2, nucdet::ops::detail::ActivateGradient<T, F>) \
  NUCDET_CUDA_RUN_ROWS(T, 2, nucdet::ops::detail::Sum<T, F>)              \
  NUCDET_CUDA_RUN_ROWS(T, 1, nucdet::ops::detail::ScaleShift<T, F>)       \
  NUCDET_CUDA_RUN_ROWS(T, 2, nucdet::ops::detail::NormDataGradient<T, F>) \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 2, nucdet::ops::detail::NormSlopes<T, F>)
#define NUCDET_CUDA_ACTIVATION(F)            \
  NUCDET_CUDA_ACTIVATION_OF(float, F)        \
  NUCDET_CUDA_ACTIVATION_OF(nucdet::bf16, F) \
  NUCDET_CUDA_ACTIVATION_OF(nucdet::f16, F)
/// A loss::PixelLoss.
#define NUCDET_CUDA_LOSS(L)                                                      \
  NUCDET_CUDA_REDUCE_COLUMNS(double, 1, nucdet::loss::detail::SumMaps<float, L>) \
  NUCDET_CUDA_REDUCE_ROWS(1, nucdet::loss::detail::LossOfPixels<float, L>)       \
  NUCDET_CUDA_PARALLEL_FOR(nucdet::loss::detail::MeanOfSamples<float, L>)
/// A label::LabelProfile.
#define NUCDET_CUDA_LABEL(P) NUCDET_CUDA_PARALLEL_FOR(nucdet::label::detail::GatherCentres<P>)
/// A data::AugmentationStep.
#define NUCDET_CUDA_AUGMENTATION_STEP(S) NUCDET_CUDA_PARALLEL_FOR(nucdet::data::detail::ApplyChanges<S::Change>)
/// An optim::StepRule.
#define NUCDET_CUDA_STEP_RULE(R) NUCDET_CUDA_PARALLEL_FOR(nucdet::optim::detail::StepKernel<R::Update>)

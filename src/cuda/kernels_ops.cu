// The kernels of ops, for the three element types.
#include "nucdet/cuda/instantiate.cuh"
#include "nucdet/ops/bias_gradient.hpp"
#include "nucdet/ops/conv2d_direct.hpp"
#include "nucdet/ops/convert.hpp"
#include "nucdet/ops/depthwise.hpp"
#include "nucdet/ops/dropout.hpp"
#include "nucdet/ops/fold.hpp"
#include "nucdet/ops/global_pool.hpp"
#include "nucdet/ops/layer_norm.hpp"
#include "nucdet/ops/match_size.hpp"
#include "nucdet/ops/multiply.hpp"
#include "nucdet/ops/pad_channels.hpp"
#include "nucdet/ops/pixel_shuffle.hpp"
#include "nucdet/ops/pool.hpp"
#include "nucdet/ops/resize.hpp"

namespace kernels = nucdet::ops::detail;
using nucdet::bf16;
using nucdet::f16;

#define NUCDET_OPS_OF(T)                                                          \
  NUCDET_CUDA_RUN_ROWS(T, 1, kernels::Copy<T>)                                    \
  NUCDET_CUDA_RUN_ROWS(T, 1, kernels::Accumulate<T>)                              \
  NUCDET_CUDA_RUN_ROWS(T, 0, kernels::Fill<T>)                                    \
  NUCDET_CUDA_RUN_ROWS(T, 2, kernels::Sum<T, nucdet::ops::Same>)                  \
  NUCDET_CUDA_RUN_ROWS(T, 1, kernels::ScaleShift<T, nucdet::ops::Same>)           \
  NUCDET_CUDA_RUN_ROWS(T, 2, kernels::NormDataGradient<T, nucdet::ops::Same>)     \
  NUCDET_CUDA_RUN_ROWS(T, 1, kernels::FinishRun<T>)                               \
  NUCDET_CUDA_RUN_ROWS(T, 2, kernels::FinishRun<T>)                               \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 2, kernels::NormMoments<T>)                   \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 2, kernels::NormSlopes<T, nucdet::ops::Same>) \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 1, kernels::SumChannels<T>)                   \
  NUCDET_CUDA_PARALLEL_FOR(kernels::NormFinish<T>)                                \
  NUCDET_CUDA_PARALLEL_FOR(kernels::GroupFinish<T>)                               \
  NUCDET_CUDA_PARALLEL_FOR(kernels::TapsFirst<T>)                                 \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Depthwise<T, true>)                           \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Depthwise<T, false>)                          \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 9, kernels::DepthwiseSlopes<T>)
NUCDET_OPS_OF(float)
NUCDET_OPS_OF(bf16)
NUCDET_OPS_OF(f16)

#define NUCDET_MAP_OPS_OF(T)                               \
  NUCDET_CUDA_PARALLEL_FOR(kernels::PixelMoments<T>)       \
  NUCDET_CUDA_PARALLEL_FOR(kernels::PixelNormalize<T>)     \
  NUCDET_CUDA_PARALLEL_FOR(kernels::PixelNormGradient<T>)  \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Product<T>)            \
  NUCDET_CUDA_PARALLEL_FOR(kernels::StoreSums<T>)          \
  NUCDET_CUDA_PARALLEL_FOR(kernels::PixelProducts<T>)      \
  NUCDET_CUDA_PARALLEL_FOR(kernels::LineMaxima<T, true>)   \
  NUCDET_CUDA_PARALLEL_FOR(kernels::LineMaxima<T, false>)  \
  NUCDET_CUDA_PARALLEL_FOR(kernels::FirstMaxima<T>)        \
  NUCDET_CUDA_PARALLEL_FOR(kernels::GlobalMaxGradient<T>)  \
  NUCDET_CUDA_PARALLEL_FOR(kernels::GlobalMeanGradient<T>) \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Shuffle<T, true>)      \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Shuffle<T, false>)     \
  NUCDET_CUDA_PARALLEL_FOR(kernels::DropElements<T>)       \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 2, kernels::PixelNormSlopes<T>)
NUCDET_MAP_OPS_OF(float)
NUCDET_MAP_OPS_OF(bf16)
NUCDET_MAP_OPS_OF(f16)

#define NUCDET_SIZE_OPS_OF(T)                                    \
  NUCDET_CUDA_REDUCE_COLUMNS(float, 1, kernels::ProductSums<T>)  \
  NUCDET_CUDA_PARALLEL_FOR(kernels::MatchSize<T>)                \
  NUCDET_CUDA_RUN_ROWS(T, 1, kernels::ScaleChannels<T>)          \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Pool<T, true>)               \
  NUCDET_CUDA_PARALLEL_FOR(kernels::Pool<T, false>)              \
  NUCDET_CUDA_PARALLEL_FOR(kernels::MaxPoolGradient<T>)          \
  NUCDET_CUDA_PARALLEL_FOR(kernels::AveragePoolGradient<T>)      \
  NUCDET_CUDA_PARALLEL_FOR(kernels::UpsampleNearest<T>)          \
  NUCDET_CUDA_PARALLEL_FOR(kernels::UpsampleNearestGradient<T>)  \
  NUCDET_CUDA_PARALLEL_FOR(kernels::UpsampleBilinear<T>)         \
  NUCDET_CUDA_PARALLEL_FOR(kernels::UpsampleBilinearGradient<T>) \
  NUCDET_CUDA_PARALLEL_FOR(kernels::DirectConvolution<T>)        \
  NUCDET_CUDA_PARALLEL_FOR(kernels::DirectDataGradient<T>)       \
  NUCDET_CUDA_PARALLEL_FOR(kernels::DirectWeightGradient<T>)     \
  NUCDET_CUDA_PARALLEL_FOR(kernels::PadChannels<T>)              \
  NUCDET_CUDA_PARALLEL_FOR(kernels::AddCropped<T, float>)
NUCDET_SIZE_OPS_OF(float)
NUCDET_SIZE_OPS_OF(bf16)
NUCDET_SIZE_OPS_OF(f16)

// Parameters and statistics are f32 in all of them.
NUCDET_CUDA_PARALLEL_FOR(kernels::DrawFactors<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::ReadRunning<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::MoveRunning<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::NormLine<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::NormPlane<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::GroupPlane<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::AddTaps<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::AddSums<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::FoldNorm<float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::Convert<float, bf16>)
NUCDET_CUDA_PARALLEL_FOR(kernels::Convert<float, f16>)
NUCDET_CUDA_PARALLEL_FOR(kernels::Convert<bf16, float>)
NUCDET_CUDA_PARALLEL_FOR(kernels::Convert<f16, float>)

// Losses, labels, optimisers, and the data that goes in.
#include "nucdet/cuda/instantiate.cuh"
#include "nucdet/data/image_view.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render_classes.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/average.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"

#include "rank_means.hpp"

using namespace nucdet;

NUCDET_CUDA_PARALLEL_FOR(loss::detail::LabelMeans<float>)
NUCDET_CUDA_REDUCE_COLUMNS(double, 1, loss::detail::CountPixels)
NUCDET_CUDA_LOSS(loss::WeightedSquaredError)
NUCDET_CUDA_LOSS(loss::SquaredError)
NUCDET_CUDA_LOSS(loss::CrossEntropy)
NUCDET_CUDA_LOSS(loss::ClassCrossEntropy)

NUCDET_CUDA_LABEL(label::ProximityMap)
NUCDET_CUDA_LABEL(label::GaussianDensity)
NUCDET_CUDA_LABEL(label::Disc)
NUCDET_CUDA_PARALLEL_FOR(label::detail::GatherClasses)

NUCDET_CUDA_STEP_RULE(optim::Sgd)
NUCDET_CUDA_STEP_RULE(optim::Adam)
NUCDET_CUDA_REDUCE_ROWS(1, optim::detail::SquaredNorm)
NUCDET_CUDA_PARALLEL_FOR(optim::detail::Scale)
NUCDET_CUDA_PARALLEL_FOR(optim::detail::Clamp)
NUCDET_CUDA_PARALLEL_FOR(optim::detail::MoveAverage)
NUCDET_CUDA_PARALLEL_FOR(optim::detail::Exchange)
NUCDET_CUDA_PARALLEL_FOR(nucdet::cuda::RankMeans)

NUCDET_CUDA_REDUCE_COLUMNS(double, 2, data::detail::Moments)
NUCDET_CUDA_REDUCE_COLUMNS(double, 3, data::detail::TissueMoments)
NUCDET_CUDA_PARALLEL_FOR(data::detail::Normalize)
NUCDET_CUDA_PARALLEL_FOR(data::detail::ReflectInto)
NUCDET_CUDA_PARALLEL_FOR(data::detail::PixelsInto<std::uint8_t>)
NUCDET_CUDA_PARALLEL_FOR(data::detail::PixelsInto<std::uint16_t>)
NUCDET_CUDA_PARALLEL_FOR(data::detail::CutPixels)
NUCDET_CUDA_PARALLEL_FOR(data::detail::NormalizeCuts)

// Peaks of response maps.
#include "nucdet/cuda/instantiate.cuh"
#include "nucdet/cuda/select.cuh"
#include "nucdet/detect/class_scores.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/orientation.hpp"

template std::vector<nucdet::detect::Peak> nucdet::exec::select<nucdet::detect::Peak, nucdet::detect::detail::IsPeak>(
    nucdet::Context<nucdet::Cuda>&, const nucdet::Shape&, const nucdet::detect::detail::IsPeak&);
NUCDET_CUDA_PARALLEL_FOR(nucdet::detect::detail::NucleusProbability)
NUCDET_CUDA_PARALLEL_FOR(nucdet::detect::detail::ClassAtPixels)
NUCDET_CUDA_PARALLEL_FOR(nucdet::detect::detail::BlurAxis)
NUCDET_CUDA_PARALLEL_FOR(nucdet::detect::detail::Reorient)
NUCDET_CUDA_PARALLEL_FOR(nucdet::detect::detail::AddTurnedBack)

#pragma once
/// The detector, ready-made: see nn/prebuilt.hpp.
#include "nucdet/nn/prebuilt.hpp"

#ifdef NUCDET_BODIES
#include "nucdet/detect/detector_impl.hpp"
#else
#include "nucdet/detect/detector.hpp"
#endif

#define NUCDET_PREBUILT_DETECTOR(make, D)                                                                              \
  make class NetworkOnTiles<D>;                                                                                        \
  make TileMaps<D> NetworkOnTiles<D>::seen(const View<const float>&, const data::ChannelStatistics&, const Look&)      \
      const;                                                                                                           \
  make TileMaps<D> NetworkOnTiles<D>::seen(const data::ImageView&, const data::ChannelStatistics&, const Look&) const; \
  make class Detector<D>;

namespace nucdet::detect {

#ifdef NUCDET_PREBUILT
NUCDET_PREBUILT_DETECTOR(NUCDET_PREBUILT_CPU, Cpu)
#endif
#ifdef NUCDET_WITH_CUDA
NUCDET_PREBUILT_DETECTOR(NUCDET_PREBUILT_CUDA, Cuda)
#endif

}  // namespace nucdet::detect

#pragma once
#include <concepts>
#include <vector>

#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/local_maxima.hpp"

namespace nucdet::detect {

/// Finds nuclei in a response map [1, H, W, 1]; positions in its pixels.
template <class F>
concept PeakFinder = requires(const F& finder, Context<Cpu>& context, View<const float> map) {
  { peaks_of(context, map, finder) } -> std::same_as<std::vector<Nucleus>>;
};

template <class D>
std::vector<Nucleus> peaks_of(Context<D>& context, View<const float> map, const LocalMaxima& finder) {
  return find_peaks(context, map, finder);
}
inline std::vector<Nucleus> peaks_of(Context<Cpu>&, View<const float> map, const ComponentCentroids& finder) {
  return finder(map);
}

static_assert(PeakFinder<LocalMaxima> && PeakFinder<ComponentCentroids>);

}  // namespace nucdet::detect

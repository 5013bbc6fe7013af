#pragma once
#include <concepts>
#include <vector>

#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/local_maxima.hpp"

namespace nucdet::detect {

namespace detail {
template <class F>
concept FindsAlone = requires(const F& finder, View<const float> map) {
  { finder(map) } -> std::same_as<std::vector<Nucleus>>;
};
template <class F>
concept FindsInContext = requires(const F& finder, Context<Cpu>& context, View<const float> map) {
  { finder(context, map) } -> std::same_as<std::vector<Nucleus>>;
};
}  // namespace detail

/// Finds nuclei in a response map [1, H, W, 1], positions in its pixels: called as finder(map), or as
/// finder(context, map) if it wants the threads.
template <class F>
concept PeakFinder = detail::FindsAlone<F> || detail::FindsInContext<F>;

/// What the finder finds in a map on the host.
template <PeakFinder F>
std::vector<Nucleus> find_by(Context<Cpu>& context, View<const float> map, const F& finder) {
  if constexpr (detail::FindsInContext<F>)
    return finder(context, map);
  else
    return finder(map);
}

static_assert(PeakFinder<LocalMaxima> && PeakFinder<ComponentCentroids>);

}  // namespace nucdet::detect

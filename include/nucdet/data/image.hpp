#pragma once
/// The only header that includes xtensor: images and maps on the host, and views of them.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>  // 0.26 and newer
#else
#include <xtensor/xtensor.hpp>
#endif

#include "nucdet/core/view.hpp"

namespace nucdet {

/// An image on the host, [height, width, channels], values in [0, 1].
using Image = xt::xtensor<float, 3>;
/// One value a pixel, [height, width]: a label or a response map.
using Plane = xt::xtensor<float, 2>;

inline Image make_image(Index height, Index width, Index channels, float value = 0.0f) {
  return Image({static_cast<std::size_t>(height), static_cast<std::size_t>(width), static_cast<std::size_t>(channels)},
               value);
}
inline Plane make_plane(Index height, Index width, float value = 0.0f) {
  return Plane({static_cast<std::size_t>(height), static_cast<std::size_t>(width)}, value);
}

/// An image as a batch of one: no copy.
inline View<float> view_of(Image& image) {
  return {
      image.data(),
      {1, static_cast<Index>(image.shape(0)), static_cast<Index>(image.shape(1)), static_cast<Index>(image.shape(2))}};
}
inline View<const float> view_of(const Image& image) { return view_of(const_cast<Image&>(image)); }
inline View<float> view_of(Plane& map) {
  return {map.data(), {1, static_cast<Index>(map.shape(0)), static_cast<Index>(map.shape(1)), 1}};
}
inline View<const float> view_of(const Plane& map) { return view_of(const_cast<Plane&>(map)); }

}  // namespace nucdet

#pragma once
#include <algorithm>
#include <cmath>

#include "nucdet/core/config.hpp"
#include "nucdet/data/image_view.hpp"

namespace nucdet::data {

/// Whether an image may be one of haematoxylin and eosin: of what is neither nearly white nor nearly black, at least a
/// tenth is pink or purple: less green than red and blue are on average, and not blue alone. Fluorescence, inverted
/// pictures and grey ones are not; an image with next to nothing on it may be. It looks at some ten thousand pixels.
bool looks_like_he(const ImageView& image);

#ifdef NUCDET_INLINE

namespace detail {

struct HeShares {
  Index coloured = 0, stained = 0, seen = 0;

  void add(float r, float g, float b) {
    ++seen;
    const float light = (r + g + b) / 3;
    if (light < 0.1f || light > 0.9f) return;
    ++coloured;
    if ((r + b) / 2 > g + 0.02f && r > b / 3) ++stained;
  }
};

template <class T>
HeShares he_shares(const ImageView& image) {
  constexpr float most = sizeof(T) == 1 ? 255.0f : 65535.0f;
  const Index step = std::max<Index>(
      1, static_cast<Index>(std::sqrt(static_cast<double>(image.height) * static_cast<double>(image.width) / 40000)));
  const bool swapped = image.order == ChannelOrder::bgr;
  HeShares shares;
  for (Index y = step / 2; y < image.height; y += step)
    for (Index x = step / 2; x < image.width; x += step) {
      const T* const p = image.row<T>(y) + x * image.channels;
      shares.add(static_cast<float>(p[swapped ? 2 : 0]) / most, static_cast<float>(p[1]) / most,
                 static_cast<float>(p[swapped ? 0 : 2]) / most);
    }
  return shares;
}

}  // namespace detail

NUCDET_INLINE bool looks_like_he(const ImageView& image) {
  image.check();
  if (image.channels < 3) return false;
  const detail::HeShares shares =
      image.bytes == 1 ? detail::he_shares<std::uint8_t>(image) : detail::he_shares<std::uint16_t>(image);
  return 50 * shares.coloured < shares.seen || 10 * shares.stained >= shares.coloured;
}

#endif

}  // namespace nucdet::data

#pragma once
#include <cmath>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/data/image.hpp"
#include "nucdet/data/image_view.hpp"

/// Other people's pixels become an Image by name, never by the way: doubles, bytes and values up to 255 are refused
/// where an Image is wanted.
namespace nucdet::data {

/// Beyond [0, 1] by so much a value is taken for the rounding or the overshoot of a resampler.
inline constexpr float kOvershoot = 0.05f;

/// Throws ArgumentError, in the name of `where`, unless the values of an image on the host are in [0, 1], but for
/// kOvershoot; so also for a value that is not a number.
void check_image(Context<Cpu>& context, View<const float> image, std::string_view where);

/// An Image of an array of any numbers, [height, width, channels] or [height, width], in which `full_scale` stands for
/// 1: 255, 65535, or 1. Throws ShapeError for other dimensions, ArgumentError for a full scale that is not above 0.
template <class E>
Image image_from(const xt::xexpression<E>& values, double full_scale) {
  const E& from = values.derived_cast();
  const std::size_t d = from.dimension();
  if (d != 2 && d != 3) throw ShapeError(message("image_from: an array of ", d, " dimensions, wanted 2 or 3"));
  if (!(full_scale > 0 && std::isfinite(full_scale)))
    throw ArgumentError(message("image_from: full_scale is ", full_scale, ", must be > 0"));
  const auto size = [&](std::size_t i) { return static_cast<Index>(from.shape(i)); };
  Image image = make_image(size(0), size(1), d == 3 ? size(2) : 1);
  const float most = static_cast<float>(full_scale);
  for (std::size_t y = 0; y < image.shape(0); ++y)
    for (std::size_t x = 0; x < image.shape(1); ++x)
      for (std::size_t c = 0; c < image.shape(2); ++c)
        image(y, x, c) = static_cast<float>(d == 3 ? from(y, x, c) : from(y, x)) / most;
  return image;
}

/// A copy of somebody's bytes as an Image, red first; see ImageView for what becomes of grey and of alpha. Throws as
/// copy_reflected does.
Image to_image(Context<Cpu>& context, const ImageView& pixels, Index channels = 3);

#ifdef NUCDET_INLINE

NUCDET_INLINE void check_image(Context<Cpu>& context, View<const float> image, std::string_view where) {
  struct Range {
    float low = 0, high = 0;
    bool number = true;
  };
  const Shape s = image.shape;
  std::vector<Range> rows(static_cast<std::size_t>(s.n * s.h));
  context.run(s.n * s.h, [&](Index row, int) {
    Range found;
    for (Index x = 0; x < s.w; ++x) {
      const float* const p = image.pixel(row / s.h, row % s.h, x);
      for (Index c = 0; c < s.c; ++c) {
        found.low = p[c] < found.low ? p[c] : found.low, found.high = p[c] > found.high ? p[c] : found.high;
        found.number = found.number && p[c] == p[c];
      }
    }
    rows[static_cast<std::size_t>(row)] = found;
  });
  Range all;
  for (const Range& r : rows)
    all = {r.low < all.low ? r.low : all.low, r.high > all.high ? r.high : all.high, all.number && r.number};
  if (!all.number) throw ArgumentError(message(where, ": a value of the image is not a number"));
  if (all.low >= -kOvershoot && all.high <= 1 + kOvershoot) return;
  throw ArgumentError(message(where, ": values from ", all.low, " to ", all.high,
                              ", wanted [0, 1]: convert with data::image_from(values, ",
                              all.high > 255 ? "65535" : "255", ") or hand the bytes over as a data::ImageView"));
}

NUCDET_INLINE Image to_image(Context<Cpu>& context, const ImageView& pixels, Index channels) {
  pixels.check();
  Image image = make_image(pixels.height, pixels.width, channels);
  copy_reflected(context, pixels, 0, 0, view_of(image));
  return image;
}

#endif

namespace detail {

template <class T>
inline constexpr bool is_image = std::same_as<std::remove_cvref_t<T>, Image>;

/// For the overloads that catch what the compiler would silently convert to an Image.
template <class T>
constexpr void refuse_unless_image() {
  static_assert(is_image<T>,
                "nucdet: an image is a nucdet::Image (xt::xtensor<float, 3> with values in [0, 1]): convert another "
                "array by data::image_from(values, full_scale), bytes by data::image_view");
}

}  // namespace detail
}  // namespace nucdet::data

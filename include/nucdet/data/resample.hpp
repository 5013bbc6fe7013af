#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/data/image.hpp"

/// Source pixels to reference pixels (40x, 0.25 um a pixel) and back. Pixel centres stay aligned with the image's
/// corner: reference = (source + 1/2) scale - 1/2.
namespace nucdet::data {

inline Point to_reference(Point p, double scale) { return {(p.x + 0.5) * scale - 0.5, (p.y + 0.5) * scale - 0.5}; }
inline Point to_source(Point p, double scale) { return {(p.x + 0.5) / scale - 0.5, (p.y + 0.5) / scale - 0.5}; }

void check_scale(double scale);
inline Index scaled_size(Index size, double scale) {
  return std::max<Index>(1, static_cast<Index>(std::llround(static_cast<double>(size) * scale)));
}

/// The most reference pixels of an image: as many as files may hold.
inline constexpr Index kMostReferencePixels = Index{1} << 28;

/// Throws ArgumentError if an image of that many pixels has too many at that scale.
void check_scaled_size(Index height, Index width, double scale);

/// The image at another scale: scaled_size pixels along each axis. Throws ArgumentError above kMostReferencePixels.
Image resample(Context<Cpu>& context, const Image& image, double scale);

#ifdef NUCDET_INLINE

namespace detail {

/// For each output pixel of one axis: the first input pixel and the weights from there.
struct AxisFilter {
  std::vector<Index> first;
  std::vector<std::vector<float>> weights;

  /// A triangle as wide as the wider of an input and an output pixel: linear interpolation when growing, an antialiased
  /// mean when shrinking.
  AxisFilter(Index in, Index out, double scale) {
    const double radius = std::max(1.0, 1.0 / scale);
    for (Index i = 0; i < out; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) / scale - 0.5;
      const Index from = std::clamp<Index>(static_cast<Index>(std::ceil(centre - radius)), 0, in - 1);
      const Index to = std::clamp<Index>(static_cast<Index>(std::floor(centre + radius)), from, in - 1);
      std::vector<double> raw;
      double sum = 0;
      for (Index k = from; k <= to; ++k) {
        raw.push_back(std::max(0.0, 1.0 - std::abs(static_cast<double>(k) - centre) / radius));
        sum += raw.back();
      }
      first.push_back(from);
      weights.emplace_back();
      for (const double w : raw)
        weights.back().push_back(static_cast<float>(sum > 0 ? w / sum : 1.0 / static_cast<double>(raw.size())));
    }
  }
};

}  // namespace detail

NUCDET_INLINE void check_scale(double scale) {
  if (!(scale >= 1.0 / 64 && scale <= 64)) throw ArgumentError(message("scale is ", scale, ", must be in [1/64, 64]"));
}

NUCDET_INLINE void check_scaled_size(Index height, Index width, double scale) {
  check_scale(scale);
  const Index h = scaled_size(height, scale), w = scaled_size(width, scale);
  if (h > kMostReferencePixels / w)
    throw ArgumentError(message(width, " x ", height, " pixels become ", w, " x ", h, " reference pixels at scale ",
                                scale, ", at most ", kMostReferencePixels,
                                " are taken: check the scale, or the size of a pixel, or cut the image into parts"));
}

NUCDET_INLINE Image resample(Context<Cpu>& context, const Image& image, double scale) {
  const View<const float> x = view_of(image);
  if (x.shape.count() == 0) throw ShapeError("resample: the image is empty");
  check_scaled_size(x.shape.h, x.shape.w, scale);
  if (scale == 1.0) return image;
  const Index c = x.shape.c, h = scaled_size(x.shape.h, scale), w = scaled_size(x.shape.w, scale);
  const detail::AxisFilter rows(x.shape.h, h, scale), columns(x.shape.w, w, scale);
  Image result = make_image(h, w, c);
  const View<float> y = view_of(result);
  const auto scratch = context.scratch<float>(x.shape.w * c);
  context.run(h, [&](Index row, int worker) {
    float* line = scratch[worker];
    std::fill_n(line, x.shape.w * c, 0.0f);
    const auto& down = rows.weights[static_cast<std::size_t>(row)];
    for (std::size_t k = 0; k < down.size(); ++k) {
      const float* p = x.pixel(0, rows.first[static_cast<std::size_t>(row)] + static_cast<Index>(k), 0);
      for (Index i = 0; i < x.shape.w * c; ++i) line[i] += down[k] * p[i];
    }
    for (Index i = 0; i < w; ++i) {
      const auto& across = columns.weights[static_cast<std::size_t>(i)];
      const float* p = line + columns.first[static_cast<std::size_t>(i)] * c;
      float* q = y.pixel(0, row, i);
      for (std::size_t k = 0; k < across.size(); ++k)
        for (Index ch = 0; ch < c; ++ch) q[ch] += across[k] * p[static_cast<Index>(k) * c + ch];
    }
  });
  return result;
}

#endif

}  // namespace nucdet::data

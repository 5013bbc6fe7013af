#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/core/area.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/data/image.hpp"
#include "nucdet/data/image_view.hpp"

/// Source pixels to reference pixels (40x, 0.25 um a pixel) and back. Pixel centres stay aligned with the image's
/// corner: reference = (source + 1/2) scale - 1/2.
namespace nucdet::data {

inline Point to_reference(Point p, double scale) { return {(p.x + 0.5) * scale - 0.5, (p.y + 0.5) * scale - 0.5}; }
inline Point to_source(Point p, double scale) { return {(p.x + 0.5) / scale - 0.5, (p.y + 0.5) / scale - 0.5}; }

/// The same for all corners.
Areas to_reference(Areas areas, double scale);

void check_scale(double scale);
inline Index scaled_size(Index size, double scale) {
  return std::max<Index>(1, static_cast<Index>(std::llround(static_cast<double>(size) * scale)));
}

/// The most reference pixels of an image: as many as files may hold; and of one that is resampled in parts, so that
/// memory does not grow with them.
inline constexpr Index kMostReferencePixels = Index{1} << 28, kMostInParts = Index{1} << 30;

/// Throws ArgumentError if an image of that many pixels has too many at that scale.
void check_scaled_size(Index height, Index width, double scale, Index most = kMostReferencePixels);

/// The image at another scale: scaled_size pixels along each axis. Throws ArgumentError above kMostReferencePixels.
Image resample(Context<Cpu>& context, const Image& image, double scale);
/// A rectangle of what the above gives, in reference pixels, to the same bits: made of the pixels under it alone, RGB
/// in [0, 1]. Throws ShapeError for a rectangle that does not lie in the scaled image.
Image resample_part(Context<Cpu>& context, const ImageView& image, double scale, Index top, Index left, Index height,
                    Index width);

/// Pixels [begin, end) of an axis.
struct PixelSpan {
  Index begin = 0, end = 0;
};
/// Those of a source of `size` pixels that resampled pixels [begin, begin + count) are made of.
PixelSpan source_span(Index size, Index begin, Index count, double scale);

/// A source of which only a part is at hand: the part's pixels, where they begin in it, and the source's size.
struct PartOfSource {
  ImageView pixels;
  Index top = 0, left = 0;
  Index source_height = 0, source_width = 0;
};
/// The same as resample_part of the whole source. Throws ShapeError, also where the part lacks pixels.
Image resample_part(Context<Cpu>& context, const PartOfSource& source, double scale, Index top, Index left,
                    Index height, Index width);

#ifdef NUCDET_INLINE

namespace detail {

/// For each of some output pixels of one axis: the first input pixel and the weights from there.
struct AxisFilter {
  std::vector<Index> first;
  std::vector<std::vector<float>> weights;
  Index begin = 0, end = 0;  // input pixels that are looked at

  /// A triangle as wide as the wider of an input and an output pixel: linear interpolation when growing, an antialiased
  /// mean when shrinking.
  AxisFilter(Index in, Index out_begin, Index out_count, double scale) : begin(in) {
    const double radius = std::max(1.0, 1.0 / scale);
    for (Index i = out_begin; i < out_begin + out_count; ++i) {
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
      begin = std::min(begin, from), end = std::max(end, to + 1);
      weights.emplace_back();
      for (const double w : raw)
        weights.back().push_back(static_cast<float>(sum > 0 ? w / sum : 1.0 / static_cast<double>(raw.size())));
    }
  }
};

/// row_of(y, space): the pixels from columns.begin on of an input row as floats; `space` may hold them.
template <class RowOf>
Image resample_rows(Context<Cpu>& context, const AxisFilter& rows, const AxisFilter& columns, Index channels,
                    const RowOf& row_of) {
  const Index h = static_cast<Index>(rows.first.size()), w = static_cast<Index>(columns.first.size());
  const Index line_count = (columns.end - columns.begin) * channels;
  Image result = make_image(h, w, channels);
  const View<float> y = view_of(result);
  const auto scratch = context.scratch<float>(2 * line_count);
  context.run(h, [&](Index row, int worker) {
    float* const line = scratch[worker];
    std::fill_n(line, line_count, 0.0f);
    const auto& down = rows.weights[static_cast<std::size_t>(row)];
    for (std::size_t k = 0; k < down.size(); ++k) {
      const float* p = row_of(rows.first[static_cast<std::size_t>(row)] + static_cast<Index>(k), line + line_count);
      for (Index i = 0; i < line_count; ++i) line[i] += down[k] * p[i];
    }
    for (Index i = 0; i < w; ++i) {
      const auto& across = columns.weights[static_cast<std::size_t>(i)];
      const float* p = line + (columns.first[static_cast<std::size_t>(i)] - columns.begin) * channels;
      float* q = y.pixel(0, row, i);
      for (std::size_t k = 0; k < across.size(); ++k)
        for (Index ch = 0; ch < channels; ++ch) q[ch] += across[k] * p[static_cast<Index>(k) * channels + ch];
    }
  });
  return result;
}

}  // namespace detail

NUCDET_INLINE Areas to_reference(Areas areas, double scale) {
  for (std::vector<Area>* all : {&areas.regions, &areas.ignored})
    for (Area& area : *all)
      for (std::vector<Point>& ring : area.rings)
        for (Point& corner : ring) corner = to_reference(corner, scale);
  return areas;
}

NUCDET_INLINE void check_scale(double scale) {
  if (!(scale >= 1.0 / 64 && scale <= 64)) throw ArgumentError(message("scale is ", scale, ", must be in [1/64, 64]"));
}

NUCDET_INLINE void check_scaled_size(Index height, Index width, double scale, Index most) {
  check_scale(scale);
  const Index h = scaled_size(height, scale), w = scaled_size(width, scale);
  if (h > most / w)
    throw ArgumentError(message(width, " x ", height, " pixels become ", w, " x ", h, " reference pixels at scale ",
                                scale, ", at most ", most,
                                " are taken: check the scale, or the size of a pixel, or cut the image into parts"));
}

NUCDET_INLINE Image resample(Context<Cpu>& context, const Image& image, double scale) {
  const View<const float> x = view_of(image);
  if (x.shape.count() == 0) throw ShapeError("resample: the image is empty");
  check_scaled_size(x.shape.h, x.shape.w, scale);
  if (scale == 1.0) return image;
  const detail::AxisFilter rows(x.shape.h, 0, scaled_size(x.shape.h, scale), scale);
  const detail::AxisFilter columns(x.shape.w, 0, scaled_size(x.shape.w, scale), scale);
  return detail::resample_rows(context, rows, columns, x.shape.c,
                               [&](Index y, float*) { return x.pixel(0, y, columns.begin); });
}

NUCDET_INLINE PixelSpan source_span(Index size, Index begin, Index count, double scale) {
  const detail::AxisFilter filter(size, begin, count, scale);
  return {filter.begin, filter.end};
}

NUCDET_INLINE Image resample_part(Context<Cpu>& context, const ImageView& image, double scale, Index top, Index left,
                                  Index height, Index width) {
  return resample_part(context, PartOfSource{image, 0, 0, image.height, image.width}, scale, top, left, height, width);
}

NUCDET_INLINE Image resample_part(Context<Cpu>& context, const PartOfSource& source, double scale, Index top,
                                  Index left, Index height, Index width) {
  const ImageView& image = source.pixels;
  check_scale(scale);
  image.check();
  const Index h = scaled_size(source.source_height, scale), w = scaled_size(source.source_width, scale);
  if (top < 0 || left < 0 || height < 1 || width < 1 || top + height > h || left + width > w)
    throw ShapeError(message("resample_part: the rectangle of ", height, " x ", width, " at (", top, ", ", left,
                             ") is not in the scaled image of ", h, " x ", w));
  const detail::AxisFilter rows(source.source_height, top, height, scale);
  const detail::AxisFilter columns(source.source_width, left, width, scale);
  if (rows.begin < source.top || columns.begin < source.left || rows.end > source.top + image.height ||
      columns.end > source.left + image.width)
    throw ShapeError(message("resample_part: the part of ", image.height, " x ", image.width, " at (", source.top, ", ",
                             source.left, ") lacks pixels that the rectangle is made of"));
  const Index count = columns.end - columns.begin, c = image.channels, skipped = (columns.begin - source.left) * c;
  const bool swapped = image.order == ChannelOrder::bgr && c >= 3;
  const auto to_floats = [&]<class T>(const T* pixels, float* to) {
    for (Index i = 0; i < count; ++i)
      for (Index k = 0; k < 3; ++k)
        to[3 * i + k] = static_cast<float>(pixels[i * c + (c < 3     ? 0
                                                           : swapped ? 2 - k
                                                                     : k)]) /
                        (sizeof(T) == 1 ? 255.0f : 65535.0f);
  };
  return detail::resample_rows(context, rows, columns, 3, [&](Index y, float* space) -> const float* {
    if (image.bytes == 1)
      to_floats(image.row<std::uint8_t>(y - source.top) + skipped, space);
    else
      to_floats(image.row<std::uint16_t>(y - source.top) + skipped, space);
    return space;
  });
}

#endif

}  // namespace nucdet::data

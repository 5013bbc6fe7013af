#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/exec/reduce.hpp"

/// What the network's input is normalised with: each channel minus a mean, over a deviation. Where these come from is a
/// rule of its own: fixed.hpp, image.hpp, tissue.hpp.
namespace nucdet::data {

/// One number a channel.
struct ChannelStatistics {
  std::vector<float> mean, deviation;

  friend bool operator==(const ChannelStatistics&, const ChannelStatistics&) = default;
};

/// The least deviation that is divided by: five grey levels of 255. A flat image stays near 0 instead of showing its
/// noise.
inline constexpr double kLeastDeviation = 0.02;

namespace detail {

struct Moments {
  View<const float> x;
  NUCDET_HD void operator()(const exec::Tile& t, const exec::ColumnSums<double>& sums) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const float* p = x.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) {
        const double v = static_cast<double>(p[c]);
        sums(0, c) += v, sums(1, c) += v * v;
      }
    }
  }
};

struct Normalize {
  View<const float> x;
  const float *mean, *inverse;
  View<float> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const float* p = x.pixel(t.n, t.y, i);
      float* q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = (p[c] - mean[c]) * inverse[c];
    }
  }
};

}  // namespace detail

/// The statistics of `count` pixels of each channel, from their sums and those of their squares. Throws NumericError
/// for sums that are not finite.
ChannelStatistics statistics_from(std::span<const double> sums, std::span<const double> squares, double count);

/// Mean and standard deviation of each channel of one image, values in [0, 1]. Throws NumericError for values that are
/// not finite, ShapeError for an empty image.
template <class D>
ChannelStatistics statistics_of(Context<D>& context, View<const float> image) {
  if (image.shape.count() == 0 || image.shape.n != 1)
    throw ShapeError(message("statistics_of: image is ", image.shape, ", wanted one that is not empty"));
  const std::size_t channels = static_cast<std::size_t>(image.shape.c);
  const DeviceArray<double, D> on_device(context, 2 * channels);
  exec::reduce_columns<double, 2>(context, image.shape, 1, detail::Moments{image}, on_device.data());
  const std::vector<double> sums = on_device.read(context);
  return statistics_from({sums.data(), channels}, {sums.data() + channels, channels},
                         static_cast<double>(image.shape.pixels()));
}

/// y = (x - mean) / deviation; y may be x.
template <class D>
void normalize(Context<D>& context, View<const float> x, const ChannelStatistics& statistics, View<float> y) {
  if (x.shape != y.shape || statistics.mean.size() != static_cast<std::size_t>(x.shape.c))
    throw ShapeError(message("normalize: input is ", x.shape, ", output ", y.shape, ", statistics of ",
                             statistics.mean.size(), " channels"));
  std::vector<float> numbers = statistics.mean;
  for (const float d : statistics.deviation) numbers.push_back(1.0f / d);
  const DeviceArray<float, D> line(context, numbers.data(), numbers.size());
  exec::parallel_for(context, y.shape, detail::Normalize{x, line.data(), line.data() + x.shape.c, y});
}

#ifdef NUCDET_INLINE

NUCDET_INLINE ChannelStatistics statistics_from(std::span<const double> sums, std::span<const double> squares,
                                                double count) {
  ChannelStatistics statistics;
  for (std::size_t c = 0; c < sums.size(); ++c) {
    const double mean = sums[c] / count, variance = squares[c] / count - mean * mean;
    if (!std::isfinite(variance))
      throw NumericError(message("statistics_of: channel ", c, " has values that are not finite"));
    statistics.mean.push_back(static_cast<float>(mean));
    statistics.deviation.push_back(static_cast<float>(std::max(kLeastDeviation, std::sqrt(std::max(0.0, variance)))));
  }
  return statistics;
}

#endif

}  // namespace nucdet::data

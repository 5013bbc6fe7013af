#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "nucdet/io/chart.hpp"

/// From values to places along a chart's axes.
namespace nucdet::io::detail {

/// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them.
inline std::vector<double> linear_ticks(ChartRange range, int wanted) {
  const double rough = (range.high - range.low) / wanted, power = std::pow(10.0, std::floor(std::log10(rough)));
  const double times = rough / power, step = power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  const double first = std::ceil(range.low / step - 1e-9);
  for (int i = 0; i < 100; ++i) {
    const double value = (first + i) * step;
    if (value > range.high + 1e-9 * step) break;
    ticks.push_back(std::abs(value) < 1e-9 * step ? 0 : value);
  }
  return ticks;
}

/// Powers of ten, about `wanted` (8 at most) of them, and 2 and 5 times them where there are few.
inline std::vector<double> log_ticks(ChartRange range, int wanted) {
  const int first = static_cast<int>(std::floor(std::log10(range.low))),
            last = static_cast<int>(std::ceil(std::log10(range.high)));
  wanted = std::clamp(wanted, 1, 8);
  const int every = std::max(1, (last - first) / wanted);
  std::vector<double> ticks;
  for (int e = first; e <= last; ++e)
    for (const int times : {1, 2, 5}) {
      const double value = times * std::pow(10.0, e);
      const bool shown = times == 1 ? (e - first) % every == 0 : 8 * (last - first) <= 3 * wanted;
      if (shown && value >= range.low * (1 - 1e-9) && value <= range.high * (1 + 1e-9)) ticks.push_back(value);
    }
  // Within a decade these can all lie outside.
  return ticks.size() < 2 ? linear_ticks(range, std::min(wanted, 4)) : ticks;
}

/// Whether a value can be shown on an axis. The bound keeps differences finite.
inline bool showable(double value, bool log) { return std::abs(value) < 1e300 && (!log || value > 0); }

/// The least and the greatest of the values that can be shown.
struct Extent {
  bool log = false;
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void cover(double value) {
    if (showable(value, log)) low = std::min(low, value), high = std::max(high, value);
  }
  /// With this part of the extent to spare at each end.
  ChartRange range(double part) const {
    if (low > high) return log ? ChartRange{0.1, 1} : ChartRange{0, 1};
    if (log) return {low / 1.15, high * 1.15};
    const double spare = high > low ? part * (high - low) : std::max(0.5, 0.05 * std::abs(low));
    // A curve of values that cannot be negative does not get an axis that is.
    return {low >= 0 ? std::max(0.0, low - spare) : low - spare, high + spare};
  }
};

/// Places a range of values between two SVG coordinates.
struct AxisScale {
  ChartRange range{};
  bool log = false;
  double from = 0, to = 1;

  /// Far away values stay within what renderers can bear; on a logarithmic axis zero is far below.
  double operator()(double value) const {
    const double part = log ? std::log(std::max(value, 0.0) / range.low) / std::log(range.high / range.low)
                            : (value - range.low) / (range.high - range.low);
    return std::clamp(from + part * (to - from), -1e5, 1e5);
  }
};

/// What is drawn of a box's values.
struct BoxSummary {
  double low = 0, first = 0, median = 0, third = 0, high = 0;  // whisker, quartiles, whisker
  std::vector<double> beyond{};
};

inline std::optional<BoxSummary> summary_of(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !showable(v, false); });
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double part) {
    const double at = part * static_cast<double>(values.size() - 1);
    const std::size_t before = static_cast<std::size_t>(at), after = std::min(before + 1, values.size() - 1);
    return values[before] + (at - static_cast<double>(before)) * (values[after] - values[before]);
  };
  BoxSummary box{.first = quantile(0.25), .median = quantile(0.5), .third = quantile(0.75)};
  // Interpolated quartiles can lie past the last value in reach: then there is no whisker.
  box.low = box.first, box.high = box.third;
  const double reach = 1.5 * (box.third - box.first);
  for (const double v : values)
    if (v < box.first - reach || v > box.third + reach)
      box.beyond.push_back(v);
    else
      box.low = std::min(box.low, v), box.high = std::max(box.high, v);
  return box;
}

}  // namespace nucdet::io::detail

#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/io/chart.hpp"

#include "chart_scale.hpp"

/// Which charts are accepted, and what their axes span.
namespace nucdet::io::detail {

inline void check(const Chart& chart) {
  if (chart.width < 200 || chart.height < 150 || chart.width > 10000 || chart.height > 10000)
    throw ArgumentError(message("Chart: ", chart.width, " x ", chart.height, ", wanted 200 x 150 to 10000 x 10000"));
  const auto check_axis = [](const std::optional<ChartRange>& range, bool log) {
    if (!range) return;
    if (!(range->low < range->high && std::isfinite(range->high - range->low)))
      throw ArgumentError(message("Chart: range ", range->low, " to ", range->high));
    if (log && !(range->low > 0))
      throw ArgumentError(message("Chart: a logarithmic axis from ", range->low, ", wanted above 0"));
  };
  check_axis(chart.x_range, chart.log_x);
  check_axis(chart.y_range, chart.log_y);
  if (chart.log_x && !chart.categories.empty())
    throw ArgumentError("Chart: categories on a logarithmic axis, wanted a linear one");
  for (const ChartSeries& s : chart.series)
    if (!s.errors.empty() && s.errors.size() != s.points.size())
      throw ArgumentError(message("Chart: ", s.errors.size(), " errors for ", s.points.size(), " points"));
}

inline bool usable(const Chart& chart, Point p) { return showable(p.x, chart.log_x) && showable(p.y, chart.log_y); }
/// Half the length of a point's bar; 0: none.
inline double error_at(const ChartSeries& s, std::size_t i) {
  return i < s.errors.size() && s.errors[i] > 0 && showable(s.errors[i], false) ? s.errors[i] : 0;
}

/// How far boxes are apart: the least distance of two, or 1; with categories at most 1. Of logarithms on such an axis.
struct BoxGap {
  double gap = 1;
  bool log = false;

  explicit BoxGap(const Chart& chart) : log(chart.log_x) {
    std::vector<double> places;
    for (const ChartBox& box : chart.boxes)
      if (showable(box.x, log)) places.push_back(log ? std::log(box.x) : box.x);
    std::sort(places.begin(), places.end());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < places.size(); ++i)
      if (places[i] > places[i - 1]) least = std::min(least, places[i] - places[i - 1]);
    if (std::isfinite(least)) gap = chart.categories.empty() ? least : std::min(least, 1.0);
  }
  /// The place so many gaps from x.
  double beside(double x, double gaps) const { return log ? x * std::exp(gaps * gap) : x + gaps * gap; }
};

inline ChartRange x_range(const Chart& chart, const BoxGap& gap) {
  if (chart.x_range) return *chart.x_range;
  if (!chart.categories.empty()) return {-0.5, static_cast<double>(chart.categories.size()) - 0.5};
  Extent extent{.log = chart.log_x};
  for (const ChartSeries& s : chart.series)
    for (const Point& p : s.points)
      if (usable(chart, p)) extent.cover(p.x);
  for (const ChartBox& box : chart.boxes)
    if (showable(box.x, chart.log_x)) extent.cover(gap.beside(box.x, -0.5)), extent.cover(gap.beside(box.x, 0.5));
  return extent.range(0);
}
inline ChartRange y_range(const Chart& chart) {
  if (chart.y_range) return *chart.y_range;
  Extent extent{.log = chart.log_y};
  for (const ChartSeries& s : chart.series)
    for (std::size_t i = 0; i < s.points.size(); ++i)
      if (usable(chart, s.points[i]))
        for (const double side : {-1, 0, 1}) extent.cover(s.points[i].y + side * error_at(s, i));
  for (const ChartBox& box : chart.boxes)
    if (showable(box.x, chart.log_x))
      for (const double v : box.values) extent.cover(v);
  return extent.range(0.05);
}

}  // namespace nucdet::io::detail

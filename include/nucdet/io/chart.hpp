#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/core/point.hpp"

namespace nucdet::io {

/// One curve. Points that are not finite (or not positive on a logarithmic axis) are left out and interrupt the line.
struct ChartSeries {
  std::string label{};  ///< of the legend; empty: not in it
  std::vector<Point> points{};
  bool line = true, markers = false;
};

/// A marked place with a short text, such as the best threshold.
struct ChartNote {
  Point at{};
  std::string text{};
};

struct ChartRange {
  double low = 0, high = 1;
};

/// A line chart. Axes without a range fit the points.
struct Chart {
  std::string title{}, x_label{}, y_label{};
  std::vector<ChartSeries> series{};
  std::vector<ChartNote> notes{};
  std::optional<ChartRange> x_range{}, y_range{};
  bool log_y = false;
  int width = 720, height = 440;  ///< SVG pixels
};

/// The chart as an SVG document. Series differ by colour (readable by the colour-blind), dash and marker.
/// A long series is thinned to what a pixel column can show (first, lowest, highest, last).
/// Throws ArgumentError for an empty or infinite range, or a size below 200 x 150.
std::string render_svg(const Chart& chart);
/// Throws IoError if writing fails.
void write_svg(const std::filesystem::path& path, const Chart& chart);

}  // namespace nucdet::io

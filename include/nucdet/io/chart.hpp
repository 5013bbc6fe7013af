#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucdet/core/point.hpp"

namespace nucdet::io {

enum class ChartMarker { circle, square, triangle, diamond, star };

/// One curve. Points that are not finite (or not positive on a logarithmic axis) are left out and interrupt the line.
struct ChartSeries {
  std::string label{};  ///< of the legend; empty: not in it
  std::vector<Point> points{};
  bool line = true, markers = false;
  std::vector<double> errors{};         ///< half the length of a vertical bar at each point; empty: none
  std::optional<ChartMarker> marker{};  ///< default: by the series' place
};

/// A box for each list of values: quartiles and median, whiskers to the farthest values within 1.5 box lengths, rings
/// beyond. Values that are not finite are ignored; a box without values is left out.
struct ChartBox {
  double x = 0;
  std::vector<double> values{};
};

/// A marked place with a short text, such as the best threshold.
struct ChartNote {
  Point at{};
  std::string text{};
};

struct ChartRange {
  double low = 0, high = 1;
};

/// A line chart, over boxes if there are any. Axes without a range fit the points, bars and boxes.
struct Chart {
  std::string title{}, x_label{}, y_label{};
  std::vector<ChartSeries> series{};
  std::vector<ChartNote> notes{};
  std::optional<ChartRange> x_range{}, y_range{};
  bool log_y = false;
  int width = 720, height = 440;  ///< SVG pixels
  std::vector<ChartBox> boxes{};
  std::vector<std::string> categories{};  ///< names of x = 0, 1, 2, ... in place of numbers on the axis
  bool log_x = false;
};

/// The chart as an SVG document. Series differ by colour (readable by the colour-blind), dash and marker.
/// A long series is thinned to what a pixel column can show (first, lowest, highest, last).
/// Throws ArgumentError for an empty or infinite range, a size below 200 x 150, errors that are not as many as the
/// points, or categories on a logarithmic axis.
std::string render_svg(const Chart& chart);
/// Throws IoError if writing fails.
void write_svg(const std::filesystem::path& path, const Chart& chart);

}  // namespace nucdet::io

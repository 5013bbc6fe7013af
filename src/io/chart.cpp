#include "nucdet/io/chart.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"

#include "chart_marks.hpp"
#include "chart_ranges.hpp"
#include "chart_scale.hpp"

namespace nucdet::io {

namespace {

using namespace detail;

constexpr const char* kGrid = R"(stroke="#e4e4e4")";
constexpr const char* kAxis = R"(stroke="#444")";
constexpr double kSlope = 0.5736, kReach = 0.8192;  // sine and cosine of the 35 degrees of long names

class Plot {
 public:
  explicit Plot(const Chart& chart) : chart_(chart), svg_(chart.width, chart.height), gap_(chart) {
    check(chart);
    x_ = {.range = x_range(chart, gap_), .log = chart.log_x};
    y_ = {.range = y_range(chart), .log = chart.log_y};
    left_ = chart.y_label.empty() ? 58 : 76;
    right_ = chart.width - 24;
    bottom_ = chart.height - (chart.x_label.empty() ? 34 : 56);
    make_room_for_categories();
    place_legend();
    x_.from = left_, x_.to = right_;
    y_.from = bottom_, y_.to = top_;
  }

  std::string svg() {
    svg_.raw(R"(<clipPath id="plot">)");
    svg_.rect({left_ - 6, top_ - 6}, right_ - left_ + 12, bottom_ - top_ + 12, "");
    svg_.raw("</clipPath>\n");
    axes();
    legend();
    boxes();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) series(i);
    for (const ChartNote& note : chart_.notes) draw(note);
    return svg_.finished();
  }

 private:
  /// The index of each category on the axis.
  std::vector<std::size_t> categories_shown() const {
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < chart_.categories.size(); ++i)
      if (static_cast<double>(i) >= x_.range.low && static_cast<double>(i) <= x_.range.high) shown.push_back(i);
    return shown;
  }

  /// Names that are too long for their places slope down to the left, where they need room in both directions.
  void make_room_for_categories() {
    const double units = x_.range.high - x_.range.low;
    double longest = 0, left = left_;
    for (const std::size_t i : categories_shown()) {
      const double width = text_width(chart_.categories[i]), part = (static_cast<double>(i) - x_.range.low) / units;
      longest = std::max(longest, width);
      // The name reaches this far left of its tick, and the ticks move right with the axis, the last ones less.
      if (part < 1) left = std::max(left, (kReach * width - part * right_) / (1 - part));
    }
    sloping_ = longest > (right_ - left_) / units - 8;
    if (!sloping_) return;
    // A plot remains, whatever the names.
    left_ = std::min(left, std::max(left_, 0.4 * chart_.width));
    const double room = kSlope * longest + (chart_.x_label.empty() ? 22 : 46);
    bottom_ = std::max(std::min(bottom_, chart_.height - room), 0.5 * chart_.height);
  }

  /// Where each label begins; a row that is full is followed by another.
  void place_legend() {
    double x = left_, y = chart_.title.empty() ? 18 : 44;
    top_ = y;  // without labels
    for (const ChartSeries& s : chart_.series) {
      const double width = 34 + text_width(s.label);
      if (!s.label.empty() && x > left_ && x + width > right_) x = left_, y += 20;
      legend_.push_back({x, y});
      if (s.label.empty()) continue;
      x += width + 22;
      top_ = y + 24;
    }
    top_ = std::min(top_, bottom_ - 40);
  }

  void axes() {
    const double middle = 0.5 * (left_ + right_), centre = 0.5 * (top_ + bottom_);
    if (chart_.categories.empty())
      x_ticks();
    else
      names();
    const int wanted = static_cast<int>(bottom_ - top_) / 55 + 1;
    for (const double y : y_.log ? log_ticks(y_.range, 8) : linear_ticks(y_.range, wanted)) {
      svg_.line({left_, y_(y)}, {right_, y_(y)}, kGrid);
      svg_.text({left_ - 8, y_(y) + 4.5}, general(y), R"(text-anchor="end")");
    }
    svg_.line({left_, bottom_}, {right_, bottom_}, kAxis);
    svg_.line({left_, top_}, {left_, bottom_}, kAxis);
    if (!chart_.title.empty()) svg_.text({left_, 27}, chart_.title, R"(font-size="17" font-weight="bold")");
    if (!chart_.x_label.empty())
      svg_.text({middle, chart_.height - 14.0}, chart_.x_label, R"(text-anchor="middle" font-size="14")");
    if (!chart_.y_label.empty())
      svg_.text({left_ - 56, centre}, chart_.y_label,
                R"(text-anchor="middle" font-size="14" )" + rotation(-90, {left_ - 56, centre}));
  }
  void x_ticks() {
    const int wanted = static_cast<int>(right_ - left_) / (x_.log ? 70 : 90) + (x_.log ? 0 : 1);
    for (const double x : x_.log ? log_ticks(x_.range, wanted) : linear_ticks(x_.range, wanted)) {
      svg_.line({x_(x), top_}, {x_(x), bottom_}, kGrid);
      svg_.text({x_(x), bottom_ + 18}, general(x), R"(text-anchor="middle")");
    }
  }
  void names() {
    for (const std::size_t i : categories_shown()) {
      const double x = x_(static_cast<double>(i));
      svg_.line({x, top_}, {x, bottom_}, kGrid);
      const Point at{sloping_ ? x + 4 : x, bottom_ + (sloping_ ? 14 : 18)};
      svg_.text(at, chart_.categories[i],
                sloping_ ? R"(text-anchor="end" )" + rotation(-35, at) : R"(text-anchor="middle")");
    }
  }
  static std::string rotation(int degrees, Point about) {
    return R"(transform="rotate()" + std::to_string(degrees) + ' ' + fixed(about.x) + ' ' + fixed(about.y) + ")\"";
  }

  static std::string stroke(std::size_t style, bool dense = false) {
    std::string attributes =
        std::string(R"(stroke=")") + kColours[style] + R"(" stroke-width=")" + (dense ? "1" : "2") + '"';
    if (kDashes[style][0] != '\0') attributes += std::string(R"( stroke-dasharray=")") + kDashes[style] + '"';
    return attributes;
  }
  void marker(Point at, std::size_t i) {
    svg_.marker(at, chart_.series[i].marker.value_or(static_cast<ChartMarker>(i % kStyles % kMarkers)),
                kColours[i % kStyles]);
  }

  void legend() {
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const ChartSeries& s = chart_.series[i];
      if (s.label.empty()) continue;
      const auto [x, y] = legend_[i];
      if (s.line) svg_.line({x, y}, {x + 28, y}, stroke(i % kStyles));
      if (s.markers) marker({x + 14, y}, i);
      svg_.text({x + 34, y + 4.5}, s.label, "");
    }
  }

  void boxes() {
    if (chart_.boxes.empty()) return;
    svg_.raw("<g clip-path=\"url(#plot)\">\n");
    for (const ChartBox& box : chart_.boxes)
      if (showable(box.x, chart_.log_x))
        if (const auto summary = summary_of(box.values)) draw(box.x, *summary);
    svg_.raw("</g>\n");
  }
  void draw(double at, const BoxSummary& box) {
    constexpr const char* thin = R"(stroke="#444" stroke-width="1.2")";
    const double x = x_(at), left = x_(gap_.beside(at, -0.25)), right = x_(gap_.beside(at, 0.25));
    const auto whisker = [&](double from, double to) {
      if (from == to) return;
      svg_.line({x, y_(from)}, {x, y_(to)}, thin);
      svg_.line({0.5 * (left + x), y_(to)}, {0.5 * (right + x), y_(to)}, thin);
    };
    whisker(box.first, box.low), whisker(box.third, box.high);
    svg_.rect({left, y_(box.third)}, right - left, y_(box.first) - y_(box.third),
              R"(fill="#dcdcdc" )" + std::string(thin));
    svg_.line({left, y_(box.median)}, {right, y_(box.median)}, R"(stroke="#222" stroke-width="2.4")");
    for (const double v : box.beyond)
      if (showable(v, chart_.log_y)) svg_.circle({x, y_(v)}, 3, R"(fill="none" stroke="#666")");
  }

  /// The curve in SVG pixels, in runs without gaps.
  std::vector<std::vector<Point>> runs(const ChartSeries& s) const {
    std::vector<std::vector<Point>> result(1);
    for (const Point& p : s.points) {
      if (usable(chart_, p))
        result.back().push_back({x_(p.x), y_(p.y)});
      else if (!result.back().empty())
        result.emplace_back();
    }
    return result;
  }

  /// Of consecutive points in one pixel column: first, highest, lowest, last.
  static std::vector<Point> thinned(const std::vector<Point>& points) {
    std::vector<Point> kept;
    for (std::size_t first = 0; first < points.size();) {
      std::size_t end = first, low = first, high = first;
      for (; end < points.size() && std::floor(points[end].x) == std::floor(points[first].x); ++end) {
        if (points[end].y < points[low].y) low = end;
        if (points[end].y > points[high].y) high = end;
      }
      std::size_t chosen[4] = {first, std::min(low, high), std::max(low, high), end - 1};
      for (int i = 0; i < 4; ++i)
        if (i == 0 || chosen[i] != chosen[i - 1]) kept.push_back(points[chosen[i]]);
      first = end;
    }
    return kept;
  }

  void series(std::size_t i) {
    const ChartSeries& s = chart_.series[i];
    svg_.raw("<g clip-path=\"url(#plot)\">\n");
    error_bars(s, kColours[i % kStyles]);
    for (const std::vector<Point>& run : runs(s)) {
      const bool dense = run.size() > 2000;
      const std::vector<Point> points = dense ? thinned(run) : run;
      if (s.line && points.size() > 1) svg_.polyline(points, stroke(i % kStyles, dense));
      if (s.markers || (s.line && points.size() == 1))
        for (const Point& p : points) marker(p, i);
    }
    svg_.raw("</g>\n");
  }
  void error_bars(const ChartSeries& s, std::string_view colour) {
    std::string steps;
    for (std::size_t i = 0; i < s.points.size(); ++i) {
      const double error = error_at(s, i);
      if (error == 0 || !usable(chart_, s.points[i])) continue;
      const double x = x_(s.points[i].x);
      const std::string low = fixed(y_(s.points[i].y - error)), high = fixed(y_(s.points[i].y + error));
      steps += 'M' + fixed(x) + ' ' + low + 'V' + high + 'M' + fixed(x - 4) + ' ' + low + "h8M" + fixed(x - 4) + ' ' +
               high + "h8";
    }
    if (!steps.empty()) svg_.path(steps, R"(fill="none" stroke-width="1.3" stroke=")" + std::string(colour) + '"');
  }

  void draw(const ChartNote& note) {
    if (!usable(chart_, note.at)) return;
    const double x = x_(note.at.x), y = y_(note.at.y);
    if (!(x >= left_ - 1 && x <= right_ + 1 && y >= top_ - 1 && y <= bottom_ + 1)) return;
    svg_.circle({x, y}, 6.5, R"(fill="none" stroke="#111" stroke-width="2")");
    const bool left_side = x > 0.5 * (left_ + right_);
    const double below = y < 0.5 * (top_ + bottom_) ? 30 : -14;
    // A white edge keeps the words legible on a curve.
    svg_.text({x + (left_side ? -12 : 12), y + below}, note.text,
              std::string(R"(stroke="#fff" stroke-width="4" paint-order="stroke" text-anchor=")") +
                  (left_side ? "end\"" : "start\""));
  }

  const Chart& chart_;
  Svg svg_;
  BoxGap gap_;
  AxisScale x_, y_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  bool sloping_ = false;       // the names of the categories
  std::vector<Point> legend_;  // of each series
};

}  // namespace

std::string render_svg(const Chart& chart) { return Plot(chart).svg(); }

void write_svg(const std::filesystem::path& path, const Chart& chart) { write_atomically(path, render_svg(chart)); }

}  // namespace nucdet::io

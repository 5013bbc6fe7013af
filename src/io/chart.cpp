#include "nucdet/io/chart.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"

namespace nucdet::io {

namespace {

/// Okabe and Ito's colours, told apart with any colour vision; dash patterns for print without colour.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#333333"};
constexpr const char* kDashes[] = {"", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"};
constexpr std::size_t kStyles = 6;

/// With a decimal point in every locale.
std::string fixed(double value) {
  char text[400];
  std::string out(text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

std::string general(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

/// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them.
std::vector<double> linear_ticks(ChartRange range, int wanted) {
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

/// Powers of ten, and 2 and 5 times them where there are few.
std::vector<double> log_ticks(ChartRange range) {
  const int first = static_cast<int>(std::floor(std::log10(range.low))),
            last = static_cast<int>(std::ceil(std::log10(range.high)));
  const int every = std::max(1, (last - first) / 8);
  std::vector<double> ticks;
  for (int e = first; e <= last; ++e)
    for (const int times : {1, 2, 5}) {
      const double value = times * std::pow(10.0, e);
      const bool shown = times == 1 ? (e - first) % every == 0 : last - first <= 3;
      if (shown && value >= range.low * (1 - 1e-9) && value <= range.high * (1 + 1e-9)) ticks.push_back(value);
    }
  return ticks;
}

class Plot {
 public:
  explicit Plot(const Chart& chart) : chart_(chart) {
    check();
    x_ = range_of(chart.x_range, true);
    y_ = range_of(chart.y_range, false);
    const bool legend =
        std::any_of(chart.series.begin(), chart.series.end(), [](const auto& s) { return !s.label.empty(); });
    top_ = 18 + (chart.title.empty() ? 0 : 26) + (legend ? 24 : 0);
    right_ = chart.width - 24;
    bottom_ = chart.height - (chart.x_label.empty() ? 34 : 56);
    left_ = chart.y_label.empty() ? 58 : 76;
  }

  std::string svg() {
    const std::string width = std::to_string(chart_.width), height = std::to_string(chart_.height);
    out_ = R"(<svg xmlns="http://www.w3.org/2000/svg" width=")" + width + R"(" height=")" + height +
           R"(" viewBox="0 0 )" + width + ' ' + height +
           R"(" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222">)"
           "\n" +
           R"(<rect width="100%" height="100%" fill="#fff"/>)"
           "\n" +
           R"(<clipPath id="plot"><rect x=")" + fixed(left_ - 6) + R"(" y=")" + fixed(top_ - 6) + R"(" width=")" +
           fixed(right_ - left_ + 12) + R"(" height=")" + fixed(bottom_ - top_ + 12) +
           R"("/></clipPath>)"
           "\n";
    axes();
    legend();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) series(chart_.series[i], i % kStyles);
    for (const ChartNote& note : chart_.notes) draw(note);
    return out_ + "</svg>\n";
  }

 private:
  void check() const {
    if (chart_.width < 200 || chart_.height < 150 || chart_.width > 10000 || chart_.height > 10000)
      throw ArgumentError(
          message("Chart: ", chart_.width, " x ", chart_.height, ", wanted 200 x 150 to 10000 x 10000"));
    for (const auto* range : {&chart_.x_range, &chart_.y_range})
      if (*range && !((*range)->low < (*range)->high && std::isfinite((*range)->high - (*range)->low)))
        throw ArgumentError(message("Chart: range ", (*range)->low, " to ", (*range)->high));
    if (chart_.log_y && chart_.y_range && !(chart_.y_range->low > 0))
      throw ArgumentError(message("Chart: a logarithmic axis from ", chart_.y_range->low, ", wanted above 0"));
  }

  bool usable(Point p) const {
    constexpr double far = 1e300;  // so that differences stay finite
    return std::abs(p.x) < far && std::abs(p.y) < far && (!chart_.log_y || p.y > 0);
  }

  ChartRange range_of(const std::optional<ChartRange>& given, bool is_x) const {
    if (given) return *given;
    const bool is_log_y = !is_x && chart_.log_y;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const ChartSeries& s : chart_.series)
      for (const Point& p : s.points)
        if (usable(p)) low = std::min(low, is_x ? p.x : p.y), high = std::max(high, is_x ? p.x : p.y);
    if (low > high) return is_log_y ? ChartRange{0.1, 1} : ChartRange{0, 1};
    if (is_log_y) return {low / 1.15, high * 1.15};
    const double spare = high > low ? (is_x ? 0 : 0.05 * (high - low)) : std::max(0.5, 0.05 * std::abs(low));
    // A curve of values that cannot be negative does not get an axis that is.
    return {low >= 0 ? std::max(0.0, low - spare) : low - spare, high + spare};
  }

  double across(double x) const { return left_ + (x - x_.low) / (x_.high - x_.low) * (right_ - left_); }
  double down(double y) const {
    const double part =
        chart_.log_y ? std::log(y / y_.low) / std::log(y_.high / y_.low) : (y - y_.low) / (y_.high - y_.low);
    return bottom_ - part * (bottom_ - top_);
  }

  void line(double x0, double y0, double x1, double y1, const char* colour) {
    out_ += R"(<line x1=")" + fixed(x0) + R"(" y1=")" + fixed(y0) + R"(" x2=")" + fixed(x1) + R"(" y2=")" + fixed(y1) +
            R"(" stroke=")" + colour + "\"/>\n";
  }
  void text(double x, double y, std::string_view words, std::string_view more) {
    out_ += R"(<text x=")" + fixed(x) + R"(" y=")" + fixed(y) + "\" " + std::string(more) + '>' + escaped(words) +
            "</text>\n";
  }

  void axes() {
    const double middle = 0.5 * (left_ + right_), centre = 0.5 * (top_ + bottom_);
    for (const double x : linear_ticks(x_, static_cast<int>(right_ - left_) / 90 + 1)) {
      line(across(x), top_, across(x), bottom_, "#e4e4e4");
      text(across(x), bottom_ + 18, general(x), R"(text-anchor="middle")");
    }
    for (const double y : chart_.log_y ? log_ticks(y_) : linear_ticks(y_, static_cast<int>(bottom_ - top_) / 55 + 1)) {
      line(left_, down(y), right_, down(y), "#e4e4e4");
      text(left_ - 8, down(y) + 4.5, general(y), R"(text-anchor="end")");
    }
    line(left_, bottom_, right_, bottom_, "#444");
    line(left_, top_, left_, bottom_, "#444");
    if (!chart_.title.empty()) text(left_, 27, chart_.title, R"(font-size="17" font-weight="bold")");
    if (!chart_.x_label.empty())
      text(middle, chart_.height - 14, chart_.x_label, R"(text-anchor="middle" font-size="14")");
    if (!chart_.y_label.empty())
      text(20, centre, chart_.y_label,
           R"(text-anchor="middle" font-size="14" transform="rotate(-90 20 )" + fixed(centre) + R"x()")x");
  }

  std::string stroke(std::size_t style, bool dense = false) const {
    std::string attributes =
        std::string(R"(stroke=")") + kColours[style] + R"(" stroke-width=")" + (dense ? "1" : "2") + '"';
    if (kDashes[style][0] != '\0') attributes += std::string(R"( stroke-dasharray=")") + kDashes[style] + '"';
    return attributes;
  }

  void marker(Point at, std::size_t style) {
    const std::string fill = std::string(R"( fill=")") + kColours[style] + "\"/>\n", x = fixed(at.x), y = fixed(at.y);
    const auto path = [&](const char* steps) { out_ += R"(<path d="M)" + x + ' ' + y + steps + '"' + fill; };
    switch (style % 4) {
      case 0:
        out_ += R"(<circle cx=")" + x + R"(" cy=")" + y + R"(" r="3.5")" + fill;
        break;
      case 1:
        path("m-3.2 -3.2h6.4v6.4h-6.4z");
        break;
      case 2:
        path("m0 -4.4l4.2 7h-8.4z");
        break;
      default:
        path("m0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z");
        break;
    }
  }

  void legend() {
    double x = left_;
    const double y = chart_.title.empty() ? 18 : 46;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const ChartSeries& s = chart_.series[i];
      if (s.label.empty()) continue;
      const std::size_t style = i % kStyles;
      if (s.line)
        out_ += R"(<line x1=")" + fixed(x) + R"(" y1=")" + fixed(y) + R"(" x2=")" + fixed(x + 28) + R"(" y2=")" +
                fixed(y) + "\" " + stroke(style) + "/>\n";
      if (s.markers) marker({x + 14, y}, style);
      text(x + 34, y + 4.5, s.label, "");
      x += 34 + 7.2 * static_cast<double>(s.label.size()) + 22;
    }
  }

  /// The curve in SVG pixels, in runs without gaps.
  std::vector<std::vector<Point>> runs(const ChartSeries& s) const {
    std::vector<std::vector<Point>> result(1);
    for (const Point& p : s.points) {
      if (usable(p))
        result.back().push_back({std::clamp(across(p.x), -1e5, 1e5), std::clamp(down(p.y), -1e5, 1e5)});
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

  void series(const ChartSeries& s, std::size_t style) {
    out_ += "<g clip-path=\"url(#plot)\">\n";
    for (const std::vector<Point>& run : runs(s)) {
      const std::vector<Point> points = run.size() > 2000 ? thinned(run) : run;
      if (s.line && points.size() > 1) {
        out_ += R"(<polyline fill="none" stroke-linejoin="round" )" + stroke(style, run.size() > 2000) + R"( points=")";
        for (const Point& p : points) out_ += fixed(p.x) + ',' + fixed(p.y) + ' ';
        out_.back() = '"';
        out_ += "/>\n";
      }
      if (s.markers || (s.line && points.size() == 1))
        for (const Point& p : points) marker(p, style);
    }
    out_ += "</g>\n";
  }

  void draw(const ChartNote& note) {
    if (!usable(note.at)) return;
    const double x = across(note.at.x), y = down(note.at.y);
    if (!(x >= left_ - 1 && x <= right_ + 1 && y >= top_ - 1 && y <= bottom_ + 1)) return;
    out_ += R"(<circle cx=")" + fixed(x) + R"(" cy=")" + fixed(y) +
            R"(" r="6.5" fill="none" stroke="#111" stroke-width="2"/>)"
            "\n";
    const bool left_side = x > 0.5 * (left_ + right_);
    const double below = y < 0.5 * (top_ + bottom_) ? 30 : -14;
    // A white edge keeps the words legible on a curve.
    text(x + (left_side ? -12 : 12), y + below, note.text,
         std::string(R"(stroke="#fff" stroke-width="4" paint-order="stroke" text-anchor=")") +
             (left_side ? "end\"" : "start\""));
  }

  const Chart& chart_;
  ChartRange x_, y_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  std::string out_;
};

}  // namespace

std::string render_svg(const Chart& chart) { return Plot(chart).svg(); }

void write_svg(const std::filesystem::path& path, const Chart& chart) { write_atomically(path, render_svg(chart)); }

}  // namespace nucdet::io

#include <cmath>
#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/io/chart.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}
/// The numbers of the first polyline.
std::vector<Point> polyline_of(const std::string& svg) {
  std::vector<Point> points;
  const std::size_t first = svg.find("points=\"") + 8;
  std::string text = svg.substr(first, svg.find('"', first) - first);
  for (char& c : text) c = c == ',' ? ' ' : c;
  const char* at = text.c_str();
  for (char* end = nullptr; *at != '\0'; at = end) {
    const double x = std::strtod(at, &end), y = std::strtod(end, &end);
    points.push_back({x, y});
    while (*end == ' ') ++end;
  }
  return points;
}
}  // namespace

TEST_CASE("a chart places its points linearly between its axes") {
  Chart chart{.title = "A & B",
              .x_label = "x < 1",
              .y_label = "y",
              .series = {{.label = "one", .points = {{0, 0}, {0.5, 0.25}, {1, 1}}}},
              .x_range = ChartRange{0, 1},
              .y_range = ChartRange{0, 1}};
  const std::string svg = render_svg(chart);
  CHECK(svg.find("<svg xmlns") == 0);
  CHECK(svg.find("A &amp; B</text>") != std::string::npos);
  CHECK(svg.find("x &lt; 1</text>") != std::string::npos);
  CHECK(svg.find(">0.2</text>") != std::string::npos);
  const auto p = polyline_of(svg);
  REQUIRE(p.size() == 3);
  CHECK(p[1].x == Approx(0.5 * (p[0].x + p[2].x)));
  CHECK(p[1].y == Approx(0.75 * p[0].y + 0.25 * p[2].y));
  CHECK(p[0].y > p[2].y);
}

TEST_CASE("on a logarithmic axis equal ratios are equal distances, and zero is left out") {
  Chart chart{.series = {{.label = "", .points = {{0, 1}, {1, 10}, {2, 100}, {3, 0}, {4, -1}}}}, .log_y = true};
  const auto p = polyline_of(render_svg(chart));
  REQUIRE(p.size() == 3);
  CHECK(p[1].y == Approx(0.5 * (p[0].y + p[2].y)).margin(0.02));
}

TEST_CASE("gaps, single points, empty and constant series") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  Chart chart{.series = {{.label = "", .points = {{0, 1}, {1, 2}, {2, nan}, {3, 1}, {4, inf}, {5, 5}, {6, 6}}}}};
  const std::string svg = render_svg(chart);
  CHECK(count(svg, "<polyline") == 2);
  CHECK(count(svg, "<circle") == 1);
  for (const Chart& odd : {Chart{}, Chart{.series = {{.label = "a", .points = {}}}},
                           Chart{.series = {{.label = "", .points = {{3, 7}, {3, 7}}}}},
                           Chart{.series = {{.label = "", .points = {{0, nan}}}}, .log_y = true}}) {
    const std::string text = render_svg(odd);
    CHECK(text.find("nan") == std::string::npos);
    CHECK(text.find("inf") == std::string::npos);
    CHECK(text.find("</svg>\n") == text.size() - 7);
  }
}

TEST_CASE("a long series is thinned but keeps its extremes") {
  Chart chart{.series = {{.label = "loss", .points = {}}}, .x_range = ChartRange{0, 1e5}, .y_range = ChartRange{-3, 3}};
  for (int i = 0; i < 100000; ++i) chart.series[0].points.push_back({static_cast<double>(i), std::sin(i * 0.7)});
  chart.series[0].points[54321].y = 3, chart.series[0].points[12345].y = -3;
  const auto p = polyline_of(render_svg(chart));
  CHECK(p.size() < 4 * 720);
  const auto [low, high] = std::minmax_element(p.begin(), p.end(), [](Point a, Point b) { return a.y < b.y; });
  const auto ends = polyline_of(render_svg({.series = {{.label = "loss", .points = {{0, -3}, {1e5, 3}}}},
                                            .x_range = ChartRange{0, 1e5},
                                            .y_range = ChartRange{-3, 3}}));
  CHECK((low->y == ends[1].y && high->y == ends[0].y));
}

TEST_CASE("bad charts are refused, good ones are written") {
  CHECK_THROWS_AS(render_svg({.x_range = ChartRange{1, 1}}), ArgumentError);
  CHECK_THROWS_AS(render_svg({.y_range = ChartRange{0, 1}, .log_y = true}), ArgumentError);
  CHECK_THROWS_AS(render_svg({.width = 10}), ArgumentError);
  const TemporaryFolder folder;
  write_svg(folder / "c.svg", {});
  CHECK(contents_of(folder / "c.svg") == render_svg({}));
}

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

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
/// The elements of this kind, with what they enclose up to the next element.
std::vector<std::string> elements(const std::string& svg, const std::string& kind) {
  std::vector<std::string> found;
  for (std::size_t at = svg.find('<' + kind + ' '); at != std::string::npos; at = svg.find('<' + kind + ' ', at + 1))
    found.push_back(svg.substr(at, svg.find('<', at + 1) - at));
  return found;
}
std::vector<std::string> with(std::vector<std::string> all, const std::string& part) {
  std::erase_if(all, [&](const std::string& e) { return e.find(part) == std::string::npos; });
  return all;
}
std::string value(const std::string& element, const std::string& name) {
  const std::size_t at = element.find(' ' + name + "=\"");
  if (at == std::string::npos) return "";
  const std::size_t first = at + name.size() + 3;
  return element.substr(first, element.find('"', first) - first);
}
double number(const std::string& element, const std::string& name) { return std::stod(value(element, name)); }
struct Frame {
  double left, right, top, bottom;
};
/// The plot's place, of the area that clips it.
Frame frame_of(const std::string& svg) {
  const std::string r = elements(svg, "rect").at(1);
  const double x = number(r, "x") + 6, y = number(r, "y") + 6;
  return {x, x + number(r, "width") - 12, y, y + number(r, "height") - 12};
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

TEST_CASE("a logarithmic x axis places its points, ticks and notes by ratio") {
  Chart chart{.series = {{.label = "", .points = {{1, 1}, {10, 2}, {1000, 3}, {0, 4}, {-1, 5}}}},
              .notes = {{{0, 1}, "nowhere"}, {{10, 2}, "here"}}};
  chart.log_x = true;
  const std::string svg = render_svg(chart);
  const auto p = polyline_of(svg);
  REQUIRE(p.size() == 3);
  CHECK(p[1].x == Approx((2 * p[0].x + p[2].x) / 3).margin(0.02));
  const auto ticks = with(elements(svg, "text"), "middle");
  const auto hundred = std::find_if(ticks.begin(), ticks.end(), [](const auto& t) { return t.ends_with(">100"); });
  REQUIRE(hundred != ticks.end());
  CHECK(number(*hundred, "x") == Approx((p[0].x + 2 * p[2].x) / 3).margin(0.02));
  CHECK((svg.find("here") != std::string::npos && svg.find("nowhere") == std::string::npos));
  chart.x_range = ChartRange{0, 10};
  CHECK_THROWS_AS(render_svg(chart), ArgumentError);
  chart.x_range.reset(), chart.categories = {"a"};
  CHECK_THROWS_AS(render_svg(chart), ArgumentError);
}

TEST_CASE("a logarithmic axis within a decade has ticks") {
  Chart chart{.series = {{.label = "", .points = {{2.3, 1}, {4.1, 2}}}}};
  chart.log_x = true;
  CHECK(with(elements(render_svg(chart), "text"), "middle").size() >= 2);
}

TEST_CASE("a box shows quartiles, median, whiskers and what lies beyond") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  // Quartiles 2.25, 3.5 and 4.75 by interpolation: values from -1.5 to 8.5 are in reach.
  Chart chart{.series = {{.label = "", .points = {{0, 0}, {1, 20}}}}, .y_range = ChartRange{0, 20}};
  chart.boxes = {{0, {nan, inf}}, {1, {20, 3, nan, 1, 4, 2, -inf, 5}}, {nan, {1}}};
  chart.categories = {"a", "b"};
  const std::string svg = render_svg(chart);
  const auto p = polyline_of(svg);
  const auto down = [&](double y) { return p[0].y + y / 20 * (p[1].y - p[0].y); };
  const auto boxes = elements(svg, "rect");
  REQUIRE(boxes.size() == 3);
  const double width = number(boxes[2], "width"), unit = p[1].x - p[0].x;
  CHECK(width == Approx(0.5 * unit).margin(0.02));
  CHECK(number(boxes[2], "x") + 0.5 * width == Approx(p[1].x).margin(0.02));
  CHECK(number(boxes[2], "y") == Approx(down(4.75)).margin(0.02));
  CHECK(number(boxes[2], "height") == Approx(down(2.25) - down(4.75)).margin(0.02));
  const auto median = with(elements(svg, "line"), "stroke-width=\"2.4\"");
  REQUIRE(median.size() == 1);
  CHECK(number(median[0], "y1") == Approx(down(3.5)).margin(0.02));
  const auto whiskers = with(elements(svg, "line"), "stroke-width=\"1.2\"");
  REQUIRE(whiskers.size() == 4);  // each with its cap
  CHECK(number(whiskers[0], "y1") == Approx(down(2.25)).margin(0.02));
  CHECK(number(whiskers[0], "y2") == Approx(down(1)).margin(0.02));
  CHECK(number(whiskers[2], "y1") == Approx(down(4.75)).margin(0.02));
  CHECK(number(whiskers[2], "y2") == Approx(down(5)).margin(0.02));
  const auto rings = elements(svg, "circle");
  REQUIRE(rings.size() == 1);
  CHECK(number(rings[0], "cy") == Approx(down(20)).margin(0.02));
  CHECK(svg.find(boxes[2]) < svg.find("<polyline"));
}

TEST_CASE("axes without a range cover boxes and error bars") {
  Chart chart{.series = {{.label = "", .points = {{4, 1}, {5, 1}}, .errors = {0, 6}}}};
  chart.boxes = {{3, {-8, 0, 1}}, {1, {2}}};
  const std::string svg = render_svg(chart);
  const Frame f = frame_of(svg);
  const auto box = with(elements(svg, "rect"), "#dcdcdc");
  REQUIRE(box.size() == 2);
  for (const std::string& b : box) {
    CHECK((number(b, "x") >= f.left && number(b, "x") + number(b, "width") <= f.right));
    CHECK(number(b, "width") == Approx(0.5 * 2 / 5 * (f.right - f.left)).margin(0.02));  // x from 0 to 5, 2 apart
  }
  for (const std::string& l : with(elements(svg, "line"), "1.2"))
    CHECK((number(l, "y2") > f.top && number(l, "y2") < f.bottom));
  const std::string bar = value(elements(svg, "path").at(0), "d");
  CHECK(std::stod(bar.substr(bar.find('V') + 1)) > f.top);
}

TEST_CASE("error bars end where they should") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Chart chart{.series = {{.label = "", .points = {{0, 0}, {1, 6}, {2, 10}, {3, nan}}, .errors = {0, 1.5, nan, 2}}},
              .y_range = ChartRange{0, 10}};
  const std::string svg = render_svg(chart);
  const auto p = polyline_of(svg);
  const auto bars = elements(svg, "path");
  REQUIRE(bars.size() == 1);
  const std::string d = value(bars[0], "d");
  REQUIRE(count(d, "V") == 1);
  char* end = nullptr;
  CHECK(std::strtod(d.c_str() + 1, &end) == Approx(p[1].x).margin(0.02));
  CHECK(std::strtod(end, nullptr) == Approx(p[0].y + 0.45 * (p[2].y - p[0].y)).margin(0.02));
  CHECK(std::stod(d.substr(d.find('V') + 1)) == Approx(p[0].y + 0.75 * (p[2].y - p[0].y)).margin(0.02));
  CHECK(value(bars[0], "stroke") == value(elements(svg, "polyline").at(0), "stroke"));
  chart.series[0].errors.pop_back();
  CHECK_THROWS_AS(render_svg(chart), ArgumentError);
}

TEST_CASE("categories name the places of an axis, at an angle where they are too long") {
  Chart chart;
  chart.categories = {"liver", "lung & bronchi", "skin", "colon"};
  const std::string svg = render_svg(chart);
  const Frame f = frame_of(svg);
  const auto names = with(elements(svg, "text"), "middle");
  REQUIRE(names.size() == 4);
  CHECK(names[1].find(">lung &amp; bronchi") != std::string::npos);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(number(names[i], "x") ==
          Approx(f.left + (static_cast<double>(i) + 0.5) / 4 * (f.right - f.left)).margin(0.02));
  CHECK(svg.find("rotate") == std::string::npos);

  chart.categories[0] = std::string(40, 'n');
  const std::string sloping = render_svg(chart);
  const auto turned = with(elements(sloping, "text"), "rotate(-35 ");
  REQUIRE(turned.size() == 4);
  CHECK(value(turned[0], "text-anchor") == "end");
  // The longest name ends inside the picture.
  CHECK(number(turned[0], "x") - 0.81 * 40 * 7.2 > 0);
  CHECK(number(turned[0], "y") + 0.57 * 40 * 7.2 < chart.height);
  CHECK(frame_of(sloping).bottom < f.bottom - 100);

  chart.x_range = ChartRange{0.5, 2.5};
  const std::string part = render_svg(chart);
  CHECK((part.find(">liver") == std::string::npos && part.find(">skin") != std::string::npos));
  CHECK(part.find("rotate") == std::string::npos);
}

TEST_CASE("a legend that is too wide goes on in further rows") {
  Chart chart;
  for (int i = 0; i < 8; ++i) chart.series.push_back({.label = std::string(30, 'm'), .points = {{0, 0}, {1, i + 1.0}}});
  const std::string svg = render_svg(chart);
  std::set<double> rows;
  for (const std::string& label : with(elements(svg, "text"), ">mmm")) {
    rows.insert(number(label, "y"));
    CHECK(number(label, "x") + 30 * 7.2 <= chart.width);
    CHECK(number(label, "y") < frame_of(svg).top);
  }
  CHECK(rows.size() == 4);
  for (ChartSeries& s : chart.series) s.label = "m";
  CHECK(frame_of(render_svg(chart)).top == frame_of(svg).top - 60);
}

TEST_CASE("eight series look different, and a marker can be chosen") {
  Chart chart;
  for (int i = 0; i < 8; ++i) chart.series.push_back({.label = "", .points = {{0, 0}, {1, i + 1.0}}});
  std::set<std::string> colours, dashes;
  for (const std::string& line : elements(render_svg(chart), "polyline"))
    colours.insert(value(line, "stroke")), dashes.insert(value(line, "stroke-dasharray"));
  CHECK((colours.size() == 8 && dashes.size() == 8));
  std::set<std::string> shapes;
  for (const ChartMarker marker :
       {ChartMarker::circle, ChartMarker::square, ChartMarker::triangle, ChartMarker::diamond, ChartMarker::star}) {
    chart.series = {{.label = "", .points = {{0, 0}}, .line = false, .markers = true, .marker = marker}};
    const std::string svg = render_svg(chart);
    CHECK(count(svg, "<circle") == (marker == ChartMarker::circle ? 1 : 0));
    for (const std::string& path : elements(svg, "path")) shapes.insert(value(path, "d"));
  }
  CHECK(shapes.size() == 4);
}

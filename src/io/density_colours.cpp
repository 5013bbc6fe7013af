#include "density_colours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "csv_table.hpp"

namespace nucdet::io::detail {

namespace {

constexpr double kMargin = 10;

/// Nine colours of viridis (Smith and van der Walt, 2015; CC0), even in lightness and for the colour-blind.
Colour viridis(double t) {
  constexpr std::array<std::array<int, 3>, 9> stops{{{68, 1, 84},
                                                     {71, 44, 122},
                                                     {59, 82, 139},
                                                     {44, 113, 142},
                                                     {33, 145, 140},
                                                     {39, 173, 129},
                                                     {92, 200, 99},
                                                     {170, 220, 50},
                                                     {253, 231, 37}}};
  const double at = std::clamp(t, 0.0, 1.0) * 8;
  const auto i = static_cast<std::size_t>(std::min(at, 7.0));
  const double part = at - static_cast<double>(i);
  const auto mixed = [&](std::size_t c) {
    return static_cast<float>((stops[i][c] * (1 - part) + stops[i + 1][c] * part) / 255);
  };
  return {mixed(0), mixed(1), mixed(2)};
}

/// The least number with one of the leading digits that is not below.
double rounded_up(double value, std::initializer_list<double> digits) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : digits)
    if (step * power >= value * (1 - 1e-9)) return step * power;
  return 10 * power;
}

/// The map between the middles of its cells, which are at 0, 1, ...
double value_at(const Plane& map, double y, double x) {
  const auto limits = [](double at, std::size_t size, std::size_t& low, std::size_t& high) {
    const double inside = std::clamp(at, 0.0, static_cast<double>(size - 1));
    low = static_cast<std::size_t>(inside), high = std::min(low + 1, size - 1);
    return inside - static_cast<double>(low);
  };
  std::size_t top = 0, bottom = 0, left = 0, right = 0;
  const double dy = limits(y, map.shape(0), top, bottom), dx = limits(x, map.shape(1), left, right);
  const auto v = [&](std::size_t i, std::size_t j) { return static_cast<double>(map(i, j)); };
  return (1 - dy) * ((1 - dx) * v(top, left) + dx * v(top, right)) +
         dy * ((1 - dx) * v(bottom, left) + dx * v(bottom, right));
}

/// A legend that is being drawn: rows of a picture's last part.
class LegendRows {
 public:
  LegendRows(Image& picture, const DensityLegend& legend)
      : brush_(picture, static_cast<Index>(picture.shape(0))),
        legend_(legend),
        scale_(static_cast<double>(legend.scale)),
        width_(static_cast<double>(picture.shape(1))),
        middle_(static_cast<double>(static_cast<Index>(picture.shape(0)) - legend.height()) +
                0.5 * static_cast<double>(legend.row())) {}

  void draw_colours() {
    double at = kMargin;
    text("0", at);
    at = std::round(at + text_width("0", scale_) + 6 * scale_);  // on whole pixels, so that the colours are the map's
    const std::string upper = text_of(legend_.most) + " nuclei/mm2";
    const double bar = std::clamp(width_ - at - text_width(upper, scale_) - 6 * scale_ - kMargin, 20.0, 300 * scale_);
    for (double x = 0; x < bar; ++x)
      brush_.stroke({{}, 0, {{{at + x, middle_ - 6 * scale_}, {at + x, middle_ + 6 * scale_}}}}, 1, viridis(x / bar));
    text(upper, at + bar + 6 * scale_);
    next();
  }
  /// At most a third of the picture.
  void draw_scale_bar() {
    double um = rounded_up(width_ * legend_.um / 3, {1, 2, 5});
    while (um > width_ * legend_.um / 3) um = rounded_up(um / 2.6, {1, 2, 5});
    const double end = kMargin + um / legend_.um, tick = 4 * scale_;
    brush_.stroke({{},
                   0,
                   {{{kMargin, middle_}, {end, middle_}},
                    {{kMargin, middle_ - tick}, {kMargin, middle_ + tick}},
                    {{end, middle_ - tick}, {end, middle_ + tick}}}},
                  1.5 * scale_, kLegendText);
    text(um >= 1000 ? text_of(um / 1000) + " mm" : text_of(um) + " um", end + 8 * scale_);
    next();
  }
  void draw_line() {
    const double end = kMargin + 28 * scale_;
    brush_.stroke({{}, 0, {{{kMargin, middle_}, {end, middle_}}}}, 2.5 * scale_, legend_.line_colour);
    text(legend_.line, end + 8 * scale_);
    next();
  }

 private:
  void text(const std::string& letters, double x) {
    draw_text(brush_, letters, {x, middle_ - 3 * kLetter * scale_}, scale_);
  }
  void next() { middle_ += static_cast<double>(legend_.row()); }

  Brush brush_;
  const DensityLegend& legend_;
  double scale_, width_, middle_;
};

}  // namespace

std::string text_of(double value) {
  std::string text;
  append_number(text, static_cast<float>(value));
  return text;
}

double brightest_density(double highest) { return rounded_up(highest, {1, 1.5, 2, 3, 4, 5, 6, 8}); }

void lay_density(Image& picture, Index height, const DensityMap& map, double um_x, double um_y, double most,
                 float opacity) {
  float* pixel = picture.data();
  const auto width = static_cast<Index>(picture.shape(1));
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x, pixel += 3) {
      const double t = value_at(map.per_mm2, (static_cast<double>(y) + 0.5) * um_y / map.cell_um - 0.5,
                                (static_cast<double>(x) + 0.5) * um_x / map.cell_um - 0.5) /
                       most;
      const Colour colour = viridis(t);
      // The first tenth fades in: where there is nothing, the image is as it was.
      const float cover = opacity * static_cast<float>(std::clamp(10 * t, 0.0, 1.0));
      pixel[0] += cover * (colour.r - pixel[0]);
      pixel[1] += cover * (colour.g - pixel[1]);
      pixel[2] += cover * (colour.b - pixel[2]);
    }
}

void draw_legend(Image& picture, const DensityLegend& legend) {
  const auto bottom = static_cast<Index>(picture.shape(0)), columns = static_cast<Index>(picture.shape(1));
  float* strip = picture.data() + (bottom - legend.height()) * columns * 3;
  for (Index i = 0; i < legend.height() * columns; ++i, strip += 3)
    strip[0] = kLegendGround.r, strip[1] = kLegendGround.g, strip[2] = kLegendGround.b;
  LegendRows rows(picture, legend);
  if (legend.most > 0) rows.draw_colours();
  rows.draw_scale_bar();
  if (!legend.line.empty()) rows.draw_line();
}

}  // namespace nucdet::io::detail

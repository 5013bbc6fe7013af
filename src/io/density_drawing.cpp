#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <string>

#include "nucdet/core/error.hpp"
#include "nucdet/io/density.hpp"

#include "brush.hpp"
#include "csv_table.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

constexpr Index kLeastSide = 400;  // a smaller image is enlarged, so that the legend fits
constexpr Index kRow = 28, kLegend = 2 * kRow;
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

/// Means of luminance in squares of pixels.
template <class T>
Plane grey_of(const data::ImageView& image, Index square) {
  constexpr float most = sizeof(T) == 1 ? 255.0f : 65535.0f;
  const Index height = (image.height + square - 1) / square, width = (image.width + square - 1) / square;
  const bool grey = image.channels < 3, swapped = image.order == data::ChannelOrder::bgr;
  const float weights[3] = {swapped ? 0.114f : 0.299f, 0.587f, swapped ? 0.299f : 0.114f};
  Plane sums = make_plane(height, width);
  for (Index y = 0; y < image.height; ++y) {
    const T* p = image.row<T>(y);
    float* const to = sums.data() + y / square * width;
    for (Index x = 0; x < image.width; ++x, p += image.channels) {
      const float value = grey ? static_cast<float>(p[0])
                               : weights[0] * static_cast<float>(p[0]) + weights[1] * static_cast<float>(p[1]) +
                                     weights[2] * static_cast<float>(p[2]);
      to[x / square] += value / most;
    }
  }
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      sums(y, x) /=
          static_cast<float>(std::min(square, image.height - y * square) * std::min(square, image.width - x * square));
  return sums;
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

/// How image and map become the picture.
struct Frame {
  Index square = 1, zoom = 1;  // pixels that become one; pixels that one becomes
  Index height = 0, width = 0;
  double um = 0;  // a pixel of the picture is wide

  Frame(const data::ImageView& image, const DensityMap& map, Index longest) {
    const Index side = std::max(image.height, image.width);
    square = (side + longest - 1) / longest;
    zoom = side < kLeastSide ? (kLeastSide + side - 1) / side : 1;
    height = (image.height + square - 1) / square * zoom, width = (image.width + square - 1) / square * zoom;
    um = map.width_um / static_cast<double>(image.width) * static_cast<double>(square) / static_cast<double>(zoom);
  }
};

void draw_map(Image& picture, const Frame& frame, const Plane& grey, const DensityMap& map, double most, double um_y,
              float opacity) {
  float* pixel = picture.data();
  for (Index y = 0; y < frame.height; ++y)
    for (Index x = 0; x < frame.width; ++x, pixel += 3) {
      const double t = value_at(map.per_mm2, (static_cast<double>(y) + 0.5) * um_y / map.cell_um - 0.5,
                                (static_cast<double>(x) + 0.5) * frame.um / map.cell_um - 0.5) /
                       most;
      const Colour colour = viridis(t);
      // The first tenth fades in: where there is nothing, the image is as it was.
      const float cover = opacity * static_cast<float>(std::clamp(10 * t, 0.0, 1.0)),
                  under = grey(y / frame.zoom, x / frame.zoom);
      pixel[0] = under + cover * (colour.r - under);
      pixel[1] = under + cover * (colour.g - under);
      pixel[2] = under + cover * (colour.b - under);
    }
}

std::string text_of(double value) {
  std::string text;
  append_number(text, static_cast<float>(value));
  return text;
}

void draw_legend(Image& picture, const Frame& frame, double most) {
  Brush brush(picture, frame.height + kLegend);
  const double top = static_cast<double>(frame.height), middle = top + 0.5 * kRow,
               width = static_cast<double>(frame.width);
  const double letters = 3 * kLetter;  // half the height of a digit
  double at = kMargin;
  draw_text(brush, "0", {at, middle - letters});
  at = std::round(at + text_width("0") + 6);  // on whole pixels, so that the colours are the map's
  const std::string upper = text_of(most) + " nuclei/mm2";
  const double bar = std::clamp(width - at - text_width(upper) - 6 - kMargin, 20.0, 300.0);
  for (double x = 0; x < bar; ++x)
    brush.stroke({{}, 0, {{{at + x, middle - 6}, {at + x, middle + 6}}}}, 1, viridis(x / bar));
  draw_text(brush, upper, {at + bar + 6, middle - letters});
  // The scale bar: at most a third of the picture.
  double um = rounded_up(width * frame.um / 3, {1, 2, 5});
  while (um > width * frame.um / 3) um = rounded_up(um / 2.6, {1, 2, 5});
  const double length = um / frame.um, line = middle + kRow;
  brush.stroke({{},
                0,
                {{{kMargin, line}, {kMargin + length, line}},
                 {{kMargin, line - 4}, {kMargin, line + 4}},
                 {{kMargin + length, line - 4}, {kMargin + length, line + 4}}}},
               1.5, kLegendText);
  draw_text(brush, um >= 1000 ? text_of(um / 1000) + " mm" : text_of(um) + " um",
            {kMargin + length + 8, line - letters});
}

}  // namespace

Image draw_density(const data::ImageView& image, const DensityMap& map, const DensityStyle& style) {
  image.check();
  if (!(style.longest >= 100 && style.longest <= 20000 && style.opacity >= 0 && style.opacity <= 1 && style.most >= 0))
    throw ArgumentError(message("draw_density: longest ", style.longest, ", opacity ", style.opacity, ", most ",
                                style.most, ", wanted 100 to 20000, 0 to 1, at least 0"));
  if (map.per_mm2.size() == 0 || !(map.cell_um > 0 && map.width_um > 0 && map.height_um > 0))
    throw ArgumentError("draw_density: the map is empty");
  const Frame frame(image, map, style.longest);
  const Plane grey =
      image.bytes == 1 ? grey_of<std::uint8_t>(image, frame.square) : grey_of<std::uint16_t>(image, frame.square);
  const double highest = static_cast<double>(*std::max_element(map.per_mm2.begin(), map.per_mm2.end()));
  const double most = style.most > 0 ? style.most : rounded_up(highest, {1, 1.5, 2, 3, 4, 5, 6, 8});
  Image picture = make_image(frame.height + kLegend, frame.width, 3);
  const double um_y = map.height_um / static_cast<double>(image.height) * static_cast<double>(frame.square) /
                      static_cast<double>(frame.zoom);
  draw_map(picture, frame, grey, map, most, um_y, style.opacity);
  float* strip = picture.data() + frame.height * frame.width * 3;
  for (Index i = 0; i < kLegend * frame.width; ++i, strip += 3)
    strip[0] = kLegendGround.r, strip[1] = kLegendGround.g, strip[2] = kLegendGround.b;
  draw_legend(picture, frame, most);
  return picture;
}

void write_density_csv(const std::filesystem::path& path, const DensityMap& map) {
  TextSink sink(path);
  sink.text() += "nuclei_per_mm2 at y_um/x_um";
  for (Index x = 0; x < map.columns(); ++x) sink.text() += ',', append_number(sink.text(), map.middle_of_column(x));
  sink.text() += '\n';
  for (Index y = 0; y < map.rows(); ++y) {
    append_number(sink.text(), map.middle_of_row(y));
    for (Index x = 0; x < map.columns(); ++x) sink.text() += ',', append_number(sink.text(), map.per_mm2(y, x));
    sink.text() += '\n';
  }
  sink.commit();
}

}  // namespace nucdet::io

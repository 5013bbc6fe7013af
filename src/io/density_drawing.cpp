#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"
#include "nucdet/io/density.hpp"

#include "csv_table.hpp"
#include "density_colours.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

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

/// How image and map become the picture.
struct Frame {
  Index square = 1, zoom = 1;  // pixels that become one; pixels that one becomes
  Index height = 0, width = 0;
  double um = 0;  // a pixel of the picture is wide

  Frame(const data::ImageView& image, const DensityMap& map, Index longest) {
    const Index side = std::max(image.height, image.width);
    square = (side + longest - 1) / longest;
    zoom = side < kLeastDensitySide ? (kLeastDensitySide + side - 1) / side : 1;
    height = (image.height + square - 1) / square * zoom, width = (image.width + square - 1) / square * zoom;
    um = map.width_um / static_cast<double>(image.width) * static_cast<double>(square) / static_cast<double>(zoom);
  }
};

/// The first rows of a picture, in grey.
void draw_grey(Image& picture, const Frame& frame, const Plane& grey) {
  float* pixel = picture.data();
  for (Index y = 0; y < frame.height; ++y)
    for (Index x = 0; x < frame.width; ++x, pixel += 3)
      pixel[0] = pixel[1] = pixel[2] = grey(y / frame.zoom, x / frame.zoom);
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
  const double most = style.most > 0 ? style.most : brightest_density(highest);
  const DensityLegend legend{.um = frame.um, .most = most};
  Image picture = make_image(frame.height + legend.height(), frame.width, 3);
  const double um_y = map.height_um / static_cast<double>(image.height) * static_cast<double>(frame.square) /
                      static_cast<double>(frame.zoom);
  draw_grey(picture, frame, grey);
  lay_density(picture, frame.height, map, frame.um, um_y, most, style.opacity);
  draw_legend(picture, legend);
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

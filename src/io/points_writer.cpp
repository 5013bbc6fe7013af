#include <cmath>

#include "nucdet/io/csv.hpp"

#include "csv_table.hpp"
#include "marks.hpp"
#include "outline.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

void append_point(std::string& text, Point p, std::size_t index) {
  if (!is_place(p)) throw ArgumentError(message("write_points: point ", index, " is (", p.x, ", ", p.y, ")"));
  append_number(text, p.x);
  text += ',';
  append_number(text, p.y);
}

/// From the edge of the image, to a nanometre.
void append_um(std::string& text, double pixels, double um_per_pixel) {
  char digits[64];
  const auto written =
      std::to_chars(digits, digits + sizeof digits, (pixels + 0.5) * um_per_pixel, std::chars_format::fixed, 3);
  if (written.ec != std::errc())
    throw ArgumentError(message("write_points: a pixel of ", um_per_pixel, " um is no size of one"));
  text += ',';
  text.append(digits, written.ptr);
}

void append_score(std::string& text, const Nucleus& n, std::size_t index) {
  if (!std::isfinite(n.score) || !std::isfinite(n.class_probability))
    throw ArgumentError(message("write_points: the score of point ", index, " is ", n.score,
                                ", its class's probability ", n.class_probability));
  text += ',';
  append_number(text, n.score);
}

}  // namespace

void write_points(const std::filesystem::path& path, std::span<const Point> points) {
  TextSink sink(path);
  sink.text() += "x,y\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::string& text = sink.text();
    append_point(text, points[i], i);
    text += '\n';
  }
  sink.commit();
}

void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei) {
  write_points(path, nuclei, {});
}

void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei, const ClassNames& classes,
                  const PixelSize& pixel_size) {
  TextSink sink(path);
  sink.text() += std::string(kDetectionsHeader) + (classes.empty() ? "" : ",class,class_probability") +
                 (pixel_size.known() ? ",x_um,y_um\n" : "\n");
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    const Nucleus& n = nuclei[i];
    std::string& text = sink.text();
    append_point(text, n.centre, i);
    append_score(text, n, i);
    if (!classes.empty() && n.class_id == kUnknownClass) text += ",,";
    if (!classes.empty() && n.class_id != kUnknownClass) {
      text += ',' + csv_field(classes[n.class_id]) + ',';
      append_number(text, n.class_probability);
    }
    if (pixel_size.known()) {
      append_um(text, n.centre.x, pixel_size.x);
      append_um(text, n.centre.y, pixel_size.y);
    }
    text += '\n';
  }
  sink.commit();
}

}  // namespace nucdet::io

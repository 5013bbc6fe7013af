#include <cmath>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"

#include "csv_table.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

constexpr double kLargestCoordinate = 1e9;

void append_point(std::string& text, Point p, std::size_t index) {
  if (!(std::abs(p.x) <= kLargestCoordinate && std::abs(p.y) <= kLargestCoordinate))
    throw ArgumentError(message("write_points: point ", index, " is (", p.x, ", ", p.y, ")"));
  append_number(text, p.x);
  text += ',';
  append_number(text, p.y);
}

}  // namespace

Annotations parse_annotations(std::string_view text, std::string_view where) {
  CsvParser csv(text, where);
  const Header header(csv, where);
  const std::size_t columns[2] = {header.wanted("x"), header.wanted("y")};
  const bool classes = header.has("class");
  Annotations found;
  for (Record record; csv.next(record);) {
    header.check(record);
    double value[2] = {0, 0};
    for (int i = 0; i < 2; ++i) {
      const std::string& field = record.fields[columns[i]];
      if (!parse_number(field, value[i]) || !(std::abs(value[i]) <= kLargestCoordinate))
        throw IoError(message(where, ", line ", record.line, ": ", i == 0 ? 'x' : 'y', " is ", shown(field),
                              ", wanted a number of pixels"));
    }
    found.points.push_back({value[0], value[1]});
    if (classes) found.classes.push_back(header.text(record, "class"));
  }
  return found;
}

std::vector<Point> parse_points(std::string_view text, std::string_view where) {
  return parse_annotations(text, where).points;
}

std::vector<Point> read_points(const std::filesystem::path& path) {
  return parse_points(InputFile(path).read_all(kLargestTable), path.string());
}

void write_points(const std::filesystem::path& path, std::span<const Point> points) {
  std::string text = "x,y\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    append_point(text, points[i], i);
    text += '\n';
  }
  write_atomically(path, text);
}

void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei) {
  write_points(path, nuclei, {});
}

void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei, const ClassNames& classes) {
  std::string text = classes.empty() ? "x,y,score\n" : "x,y,score,class,class_probability\n";
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    const Nucleus& n = nuclei[i];
    append_point(text, n.centre, i);
    if (!std::isfinite(n.score) || !std::isfinite(n.class_probability))
      throw ArgumentError(message("write_points: the score of point ", i, " is ", n.score, ", its class's probability ",
                                  n.class_probability));
    text += ',';
    append_number(text, n.score);
    if (!classes.empty() && n.class_id == kUnknownClass) text += ",,";
    if (!classes.empty() && n.class_id != kUnknownClass) {
      text += ',' + csv_field(classes[n.class_id]) + ',';
      append_number(text, n.class_probability);
    }
    text += '\n';
  }
  write_atomically(path, text);
}

}  // namespace nucdet::io

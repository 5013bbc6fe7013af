#include <cmath>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"

#include "csv_table.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

constexpr double kLargestCoordinate = 1e9;

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

}  // namespace nucdet::io

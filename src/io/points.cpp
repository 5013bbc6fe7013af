#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"

#include "csv_table.hpp"

namespace nucdet::io {

using namespace detail;

std::vector<Point> parse_points(std::string_view text, std::string_view where) {
  return parse_annotations(text, where).points;
}

std::vector<Point> read_points(const std::filesystem::path& path) {
  return parse_points(InputFile(path).read_all(kLargestTable), path.string());
}

}  // namespace nucdet::io

#include "nucdet/io/annotations.hpp"

#include <algorithm>
#include <set>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/geojson.hpp"

#include "csv_table.hpp"

namespace nucdet::io {

Annotations read_annotations(const std::filesystem::path& path, const AnnotationOptions&) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string text = detail::InputFile(path).read_all(detail::kLargestTable);
  return extension == ".geojson" || extension == ".json" ? parse_geojson(text, path.string())
                                                         : parse_annotations(text, path.string());
}

ClassNames read_class_names(std::span<const std::filesystem::path> paths) {
  std::set<std::string> names;
  for (const std::filesystem::path& path : paths) {
    if (path.empty()) continue;
    for (const std::string& name : read_annotations(path).classes)
      if (!name.empty()) names.insert(name);
    if (names.size() > static_cast<std::size_t>(kMostClasses))
      throw IoError(
          message(path.string(), ": with its classes there are ", names.size(), ", wanted at most ", kMostClasses));
  }
  return ClassNames(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace nucdet::io

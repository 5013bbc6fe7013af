#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/area.hpp"

/// Annotated nuclei in files of many programs, told apart by content (docs/formats.md).
namespace nucdet::io {

/// The points of a file, in pixels of its image, the names of their classes, and where they count.
struct Annotations {
  std::vector<Point> points{};
  std::vector<std::string> classes{};  ///< as many as points, "" where it is not known; or empty: the file tells none
  Areas areas{};
  std::string format{};              ///< what the file was taken for: "CSV", "QuPath GeoJSON", ...
  bool detections = false;           ///< nucdet made the file: its points are no annotations
  std::vector<std::string> notes{};  ///< what a user should know of how it was read: "no header: x, y were assumed"
};

struct AnnotationOptions {
  double um_per_pixel = 0;  ///< of the image, for files in um; 0: not known, 0.25 is taken and a note says so
};

/// Reads annotations in any of the formats. Throws IoError, naming file and place, what was found and what is read.
Annotations read_annotations(const std::filesystem::path& path, const AnnotationOptions& options = {});

/// The names of all classes in these files, in alphabetical order, so that the order of the files does not matter.
/// Empty paths are passed over. Throws IoError, also for more than kMostClasses.
ClassNames read_class_names(std::span<const std::filesystem::path> paths);

/// The points with the numbers of their classes. Classes that are not among the names are unknown.
inline AnnotatedPoints numbered(Annotations annotations, const ClassNames& names) {
  return {std::move(annotations.points), names.find_all(annotations.classes)};
}

}  // namespace nucdet::io

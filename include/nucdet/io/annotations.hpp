#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/area.hpp"
#include "nucdet/core/shape.hpp"

/// Annotated nuclei in files of many programs, told apart by content (docs/formats.md).
namespace nucdet::io {

/// The points of a file, in pixels of its image, the names of their classes, and where they count.
struct Annotations {
  std::vector<Point> points{};
  std::vector<std::string> classes{};  ///< as many as points, "" where it is not known; or empty: the file tells none
  Areas areas{};
  std::string format{};              ///< what the file was taken for: "CSV", "QuPath GeoJSON", ...
  Index width = 0, height = 0;       ///< of a label mask: its image has the same; 0: the file tells no size
  bool detections = false;           ///< nucdet made the file: its points are no annotations
  std::size_t duplicates = 0;        ///< points that were dropped, at the place of another
  std::vector<std::string> notes{};  ///< what a user should know of how it was read: "no header: x, y were assumed"
};

struct AnnotationOptions {
  double um_per_pixel = 0;       ///< of the image, for files in um; 0: not known, 0.25 is taken and a note says so
  std::string image{};           ///< the image's file name, for tables that hold the points of several
  bool all_images = false;       ///< of such a table, the points of all
  bool keep_duplicates = false;  ///< points at the same place; else the first is taken, and a note tells their number
};

/// Reads annotations in any of the formats, told apart by content, gzipped or not. Throws IoError, naming file and
/// place, what was found and what is read.
Annotations read_annotations(const std::filesystem::path& path, const AnnotationOptions& options = {});
/// The same from memory; `where` names the source in errors.
Annotations parse_annotation_bytes(std::span<const std::byte> bytes, std::string_view where,
                                   const AnnotationOptions& options = {});

/// The endings that write_annotations knows, for messages.
inline constexpr const char* kWrittenEndings = ".csv, .tsv, .geojson, .geojson.gz or .db";
/// Whether the name ends with one of them.
bool has_annotation_ending(const std::filesystem::path& path);
/// Whether what is written by that name has a place for areas.
bool keeps_areas(const std::filesystem::path& path);
/// Writes points and classes as the ending says: a table, GeoJSON for QuPath or a TIAToolbox AnnotationStore; areas,
/// too, where the format has a place for them. Throws ArgumentError for another ending and what is no place, ShapeError
/// for areas without rings and rings of less than 3 corners, IoError.
void write_annotations(const std::filesystem::path& path, const Annotations& annotations);

/// The names of all classes in these files, in alphabetical order, so that the order of the files does not matter.
/// Empty paths are passed over. Throws IoError, also for more than kMostClasses.
ClassNames read_class_names(std::span<const std::filesystem::path> paths);

/// The points with the numbers of their classes. Classes that are not among the names are unknown.
inline AnnotatedPoints numbered(Annotations annotations, const ClassNames& names) {
  return {std::move(annotations.points), names.find_all(annotations.classes)};
}

}  // namespace nucdet::io

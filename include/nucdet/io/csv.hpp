#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/picture.hpp"

/// Tables as CSV (RFC 4180: quoted fields, commas; LF or CRLF; a byte order mark is skipped; blank lines are skipped).
/// Errors are IoError and name the file, the line and what was found.
namespace nucdet::io {

/// Nucleus centres: a header with the columns `x` and `y`, in any place, and a line for each point. Other columns are
/// ignored. A header alone is an image without nuclei; a file without a header is an error (it may be a lost one).
std::vector<Point> read_points(const std::filesystem::path& path);
/// The same from memory; `where` names the source in errors.
std::vector<Point> parse_points(std::string_view text, std::string_view where);
/// The same with the names in the column `class`, where there is one; an empty field is an unknown class.
/// `read_annotations` does it for a file.
Annotations parse_annotations(std::string_view text, std::string_view where);

/// Columns x, y (and score), in the shortest form that reads back to the same bits.
/// Throws ArgumentError if a value is not finite or a coordinate is beyond what is read back (1e9).
void write_points(const std::filesystem::path& path, std::span<const Point> points);
void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei);
/// Columns x, y, score, class and class_probability, the last two empty for a nucleus of unknown class; without any
/// names the same as above. Throws ArgumentError for a class without a name, too.
///
/// Where the size of a pixel is known, the last columns are x_um and y_um, in um from the image's left and upper edge,
/// as QuPath shows them: (x + 0.5) times the size, with three decimals. Memory does not grow with the number of nuclei.
void write_points(const std::filesystem::path& path, std::span<const Nucleus> nuclei, const ClassNames& classes,
                  const PixelSize& pixel_size = {});

/// Text as a field: in quotes if it holds a comma, a quote or a line end.
std::string csv_field(const std::string& text);

/// One image of a data set.
struct ManifestEntry {
  std::filesystem::path image{};
  std::filesystem::path annotations{};  ///< empty: there are none
  std::string organ{}, split{}, source_id{}, patient{};
  Index width = 0, height = 0;    ///< pixels, 0 if not known
  Index nuclei = -1;              ///< -1 if not known
  std::optional<double> scale{};  ///< source pixels to reference pixels; empty: not stated
  std::optional<double> mpp{};    ///< um a pixel; empty: not stated
};

/// A manifest file, a folder with a `manifest.csv`, or a folder of images.
///
/// Manifest: columns `image` and `annotations` (paths relative to the manifest's folder; `annotations` may be empty),
/// and `organ, split, width, height, nuclei, source_id, patient, scale` where present, in any order; others are
/// ignored. Folder of images: every PNG, JPEG and TIFF file, sorted by name, with the points of `<stem>.csv` beside it
/// or in
/// `../annotations`, if there, or else of `<stem>.geojson`.
/// Missing files, duplicate images, bad numbers and text that is not UTF-8 are reported together, the first ten by
/// name.
std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path);
/// The manifest from memory. Paths are resolved against `folder`; the files must be there.
std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& folder,
                                          std::string_view where);

/// All columns; paths are written relative to the manifest's folder.
void write_manifest(const std::filesystem::path& path, std::span<const ManifestEntry> entries);

}  // namespace nucdet::io

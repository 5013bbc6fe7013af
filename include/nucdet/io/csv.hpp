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

/// Tables of points and of images, as this program, other programs and spreadsheets write them: separated by commas,
/// semicolons, tabs or spaces; UTF-8 or UTF-16, with a byte order mark or without; LF, CRLF or CR; decimal points or
/// commas; blank lines, empty rows and comments (#; in a manifest above the header alone) are skipped. docs/formats.md
/// has the rules. Errors are IoError and name the file, the line and what was found.
namespace nucdet::io {

/// Nucleus centres: a header with the columns `x` and `y`, in any place (or of the other names that docs/formats.md
/// lists), and a line for each point, kept as they are, doubles too. Other columns are ignored. A header alone is an
/// image without nuclei; an empty file is an error (its content may be lost).
std::vector<Point> read_points(const std::filesystem::path& path);
/// The same from memory; `where` names the source in errors.
std::vector<Point> parse_points(std::string_view text, std::string_view where);
/// The same with the names in the column `class`, where there is one; an empty field is an unknown class.
/// `read_annotations` does it for a file.
Annotations parse_annotations(std::string_view text, std::string_view where, const AnnotationOptions& options = {});

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

/// Text as a field: in quotes if it holds a comma, a quote or a line end, or begins or ends with a blank.
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

  /// Source pixels to reference pixels by what is stated; 1 where nothing is.
  double stated_scale() const { return scale.value_or(mpp.value_or(kReferenceMpp) / kReferenceMpp); }
  static constexpr double kReferenceMpp = 0.25;

  /// What must stay in one split: the patient, or the image where none is named.
  std::string source() const { return patient.empty() ? image.string() : patient; }
};

/// What files of annotations may be called after their image, those that come first preferred.
inline constexpr std::string_view kAnnotationEndings[] = {".csv", ".geojson", ".geojson.gz", ".json", ".tsv",
                                                          ".txt", ".xml",     ".db",         ".roi"};

/// The annotations of an image beside it or in ../annotations, by its name; empty if there are none. What nucdet found
/// itself is none, and is counted where `own` is given.
std::filesystem::path annotations_of(const std::filesystem::path& image, std::size_t* own = nullptr);

/// How a folder is listed.
struct FolderOptions {
  bool recursive = false;  ///< folders in it too
};

/// A manifest file, a folder with a `manifest.csv`, or a folder of images.
///
/// Manifest: a table (see above) with the columns `image` and `annotations` (paths relative to the manifest's folder;
/// `annotations` may be empty), and `organ, split, width, height, nuclei, source_id, patient, scale, mpp` where
/// present, in any order and case; others are ignored. Splits are named as by split_name. Folder of images: every file
/// that is called as an image is, sorted by name, with the points of a file of its name beside it or in
/// `../annotations`. Hidden files and what nucdet made itself are no images and no annotations. Missing files, bad
/// numbers and text that is not UTF-8 are errors, reported together, the first ten by name. Notes are what a user
/// should know: what was passed over, images that are there twice.
std::vector<ManifestEntry> read_manifest(const std::filesystem::path& path, std::vector<std::string>* notes = nullptr,
                                         const FolderOptions& options = {});
/// The manifest from memory. Paths are resolved against `folder`; the files must be there.
std::vector<ManifestEntry> parse_manifest(std::string_view text, const std::filesystem::path& folder,
                                          std::string_view where, std::vector<std::string>* notes = nullptr);

/// The images in a folder, without a look for annotations, sorted by name. Hidden files and pictures that nucdet made
/// are passed over and counted in the notes. Throws IoError where there is none.
std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder, const FolderOptions& options,
                                               std::vector<std::string>* notes = nullptr);

/// A split as it is compared: "Train" and "training" are "train", "VAL", "valid" and "validation" are "val", "Testing"
/// is "test"; any other name stays as it is.
std::string split_name(std::string_view text);

/// All columns; paths are written relative to the manifest's folder.
void write_manifest(const std::filesystem::path& path, std::span<const ManifestEntry> entries);

}  // namespace nucdet::io

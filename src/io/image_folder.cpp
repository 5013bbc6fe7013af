#include "image_folder.hpp"

#include <algorithm>
#include <set>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/provenance.hpp"

#include "foreign_formats.hpp"

namespace nucdet::io {

namespace {

namespace fs = std::filesystem;

bool is_image_name(const fs::path& path) {
  const std::string ending = small_letters(path.extension().string());
  const detail::ScannerFormat* const scanner = detail::scanner_format(ending);
  return (scanner != nullptr && scanner->listed) ||
         std::find(std::begin(detail::kPictureEndings), std::end(detail::kPictureEndings), ending) !=
             std::end(detail::kPictureEndings);
}

/// Slides of formats that folders are not searched for.
bool is_unlisted_slide(const fs::path& path) {
  const detail::ScannerFormat* const scanner = detail::scanner_format(path.extension().string());
  return scanner != nullptr && !scanner->listed;
}

/// Files that systems leave: "._x.png" of macOS, dot files, previews of Windows.
bool is_hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name[0] == '.' || small_letters(name).rfind("thumbs", 0) == 0 || name == "__MACOSX";
}

/// "a.ome.tif" is called "a" too.
std::vector<std::string> stems_of(const fs::path& image) {
  std::vector<std::string> stems{image.stem().string()};
  const fs::path inner = stems[0];
  if (small_letters(inner.extension().string()) == ".ome") stems.push_back(inner.stem().string());
  return stems;
}

/// What was passed over, told once.
struct PassedOver {
  std::size_t hidden = 0, pictures = 0, slides = 0, detections = 0;

  void tell(const fs::path& folder, std::vector<std::string>* notes) const {
    if (notes == nullptr) return;
    const auto add = [&](std::size_t count, const char* what) {
      if (count > 0) notes->push_back(message(folder.string(), ": ", count, what));
    };
    add(hidden, " hidden files were passed over");
    add(pictures, " pictures that nucdet drew were passed over");
    add(slides, " files of slides (CZI, DICOM, VMS, VSI) were passed over: name them one by one, or export them");
    add(detections, " files of nucdet's own detections were not taken for annotations");
  }
};

/// Whether the file is hidden or a picture of nucdet's own, which is counted.
bool passes(const fs::path& file, PassedOver& over) {
  if (is_hidden(file)) return ++over.hidden > 0;
  const bool drawn = small_letters(file.extension().string()) == ".png" && made_by_nucdet(file);
  return drawn && ++over.pictures > 0;
}

/// Links to folders are followed, but not into a folder that they lie in. A link that leads nowhere is an image that
/// cannot be read.
void list_images(const fs::path& folder, bool recursive, std::set<fs::path>& above, PassedOver& over,
                 std::vector<fs::path>& images) {
  std::error_code error;
  const fs::path place = fs::canonical(folder, error);
  if (error || !above.insert(place).second) return;
  for (fs::directory_iterator file(folder, error); !error && file != fs::directory_iterator(); file.increment(error)) {
    std::error_code none;
    if (file->is_directory(none)) {
      if (recursive && !is_hidden(file->path())) list_images(file->path(), true, above, over, images);
      continue;
    }
    const bool nowhere = file->is_symlink(none) && !file->exists(none);
    if (is_unlisted_slide(file->path()) && !is_hidden(file->path())) ++over.slides;
    if (is_image_name(file->path()) && (file->is_regular_file(none) || nowhere) && !passes(file->path(), over))
      images.push_back(file->path());
  }
  if (error) throw IoError(message(folder.string(), ": cannot be listed: ", error.message()));
  above.erase(place);
}

std::vector<fs::path> images_in(const fs::path& folder, const FolderOptions& options, PassedOver& over) {
  std::vector<fs::path> images;
  std::set<fs::path> above;
  list_images(folder, options.recursive, above, over, images);
  std::sort(images.begin(), images.end());
  if (images.empty())
    throw IoError(
        message(folder.string(),
                ": found neither manifest.csv nor an image (PNG, JPEG, TIFF, WebP, JPEG 2000; slides: SVS, "
                "NDPI, MRXS, SCN, BIF)",
                over.hidden + over.pictures > 0 ? ", but hidden files or pictures that nucdet drew" : "",
                over.slides > 0 ? ", but slides that are to be named one by one (CZI, DICOM, VMS, VSI)" : ""));
  return images;
}

}  // namespace

fs::path annotations_of(const fs::path& image, std::size_t* own) {
  const fs::path folder = image.parent_path();
  for (const std::string_view ending : kAnnotationEndings)
    for (const std::string& stem : stems_of(image)) {
      const std::string name = stem + std::string(ending);
      for (const fs::path& place : {folder / name, folder / ".." / "annotations" / name}) {
        std::error_code none;
        if (!fs::is_regular_file(place, none)) continue;
        if (!made_by_nucdet(place)) return place;
        if (own != nullptr) ++*own;
      }
    }
  return {};
}

std::vector<fs::path> list_images(const fs::path& folder, const FolderOptions& options,
                                  std::vector<std::string>* notes) {
  PassedOver over;
  std::vector<fs::path> images = images_in(folder, options, over);
  over.tell(folder, notes);
  return images;
}

std::vector<ManifestEntry> detail::list_folder(const fs::path& folder, const FolderOptions& options,
                                               std::vector<std::string>* notes) {
  PassedOver over;
  std::vector<ManifestEntry> entries;
  for (const fs::path& image : images_in(folder, options, over)) {
    ManifestEntry entry;
    entry.image = image, entry.annotations = annotations_of(image, &over.detections);
    entries.push_back(std::move(entry));
  }
  over.tell(folder, notes);
  return entries;
}

}  // namespace nucdet::io

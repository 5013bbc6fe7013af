#include "pairs.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/provenance.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

// A picture may be a label mask, and comes last.
constexpr std::string_view kMaskEndings[] = {".png", ".tif", ".tiff"};
constexpr std::size_t kTables = std::size(io::kAnnotationEndings), kNoAnnotations = kTables + std::size(kMaskEndings);

/// The name without its ending; "a.geojson.gz" and "a.ome.tif" have two.
std::string stem_of(const fs::path& file) {
  fs::path stem = file.stem();
  const std::string outer = small_letters(file.extension().string()), inner = small_letters(stem.extension().string());
  if (outer == ".gz" || inner == ".ome") stem = stem.stem();
  return stem.string();
}

/// The place of its ending among those of annotations, by which one of several is chosen; kNoAnnotations for others.
std::size_t rank_of(const fs::path& file) {
  const std::string name = small_letters(file.filename().string());
  const auto ends = [&](std::string_view ending) { return name.size() > ending.size() && name.ends_with(ending); };
  for (std::size_t i = 0; i < kTables; ++i)
    if (ends(io::kAnnotationEndings[i])) return i;
  for (std::size_t i = 0; i < std::size(kMaskEndings); ++i)
    if (ends(kMaskEndings[i])) return kTables + i;
  return kNoAnnotations;
}

template <class Iterator>
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (Iterator file(folder, error); !error && file != Iterator(); file.increment(error)) {
    std::error_code none;
    if (file->is_regular_file(none) && file->path().filename().string()[0] != '.') files.push_back(file->path());
  }
  if (error) throw IoError(message(folder.string(), ": cannot be listed: ", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

/// Annotation files, by the sub-folder and name, and by the name alone.
struct Candidates {
  std::map<std::string, std::vector<fs::path>> by_place, by_name;
};

std::string place_of(const fs::path& file, const fs::path& folder) {
  return (file.lexically_relative(folder).parent_path() / stem_of(file)).generic_string();
}

std::vector<fs::path> annotation_files(const fs::path& folder, const std::set<fs::path>& images, bool recursive,
                                       Pairs& found) {
  std::vector<fs::path> files =
      recursive ? files_in<fs::recursive_directory_iterator>(folder) : files_in<fs::directory_iterator>(folder);
  std::size_t own = 0;
  std::erase_if(files, [&](const fs::path& file) {
    if (rank_of(file) == kNoAnnotations || file.filename() == "manifest.csv") return true;
    if (rank_of(file) >= kTables && images.contains(fs::weakly_canonical(file))) return true;
    return io::made_by_nucdet(file) && ++own > 0;
  });
  if (own > 0)
    found.notes.push_back(message(folder.string(), ": ", own, " files of nucdet's own results are no annotations"));
  return files;
}

/// The one of these that is taken: the first by its ending.
fs::path chosen(std::vector<fs::path> files, const std::string& image, Pairs& found) {
  std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
  if (files.size() > 1)
    found.notes.push_back(
        message(image, ": has ", files.size(), " annotations, of which ", files[0].string(), " was taken"));
  return files[0];
}

}  // namespace

Pairs pair_files(const fs::path& images, const fs::path& annotations, bool recursive) {
  Pairs found;
  const std::vector<fs::path> all = io::list_images(images, {.recursive = recursive}, &found.notes);
  std::set<fs::path> known;
  std::map<std::string, int> names;
  for (const fs::path& image : all) known.insert(fs::weakly_canonical(image)), ++names[stem_of(image)];
  const std::vector<fs::path> files = annotation_files(annotations, known, recursive, found);
  Candidates candidates;
  for (const fs::path& file : files) {
    candidates.by_place[place_of(file, annotations)].push_back(file);
    candidates.by_name[stem_of(file)].push_back(file);
  }
  std::set<fs::path> used;
  for (const fs::path& image : all) {
    const std::string name = image.lexically_relative(images).generic_string();
    const auto place = candidates.by_place.find(place_of(image, images));
    const auto alike = candidates.by_name.find(stem_of(image));
    if (place == candidates.by_place.end() && alike == candidates.by_name.end()) {
      found.images.push_back(image);
      continue;
    }
    const bool same_place = place != candidates.by_place.end();
    const std::vector<fs::path>& of = same_place ? place->second : alike->second;
    if (!same_place && names[stem_of(image)] > 1)
      throw IoError(message(of[0].string(), ": whose it is, is not told: several images are called ", stem_of(image),
                            ", wanted the sub-folders of ", images.string(), " in ", annotations.string(), ", too"));
    found.pairs.push_back({image, chosen(of, name, found), name});
    used.insert(of.begin(), of.end());
  }
  for (const fs::path& file : files)
    if (!used.contains(file)) found.annotations.push_back(file);
  return found;
}

}  // namespace nucdet::program

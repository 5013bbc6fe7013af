#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/core/watch.hpp"
#include "nucdet/data/dataset.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/models/pixel_size.hpp"

/// Data sets from manifests.
namespace nucdet::models {

/// The entries of a manifest (or folder) in a split; all of them for an empty split. Throws IoError if there are none,
/// saying which splits there are. Notes are those of io::read_manifest.
std::vector<io::ManifestEntry> entries_of(const std::filesystem::path& manifest, const std::string& split = {},
                                          const io::FolderOptions& folders = {},
                                          std::vector<std::string>* notes = nullptr);

/// Those of a split; all for an empty one. manifest: where they are from, for the IoError if there are none.
std::vector<io::ManifestEntry> in_split(std::vector<io::ManifestEntry> entries, const std::string& split,
                                        const std::filesystem::path& manifest);

/// The names of all classes that the points of these entries have, in alphabetical order. Throws IoError.
ClassNames class_names_of(const std::vector<io::ManifestEntry>& entries);

/// An entry's image and its nuclei, in the image's own pixels.
struct AnnotatedPicture {
  io::Picture picture;
  Scaling scaling;
  io::Annotations nuclei;  ///< none where the entry names no annotations
};

/// Throws IoError if the manifest says another size than the picture has.
void check_size(const io::ManifestEntry& entry, const io::Picture& picture);

/// Reads them and compares them with what the manifest says of size and nuclei. Throws IoError, also for detections of
/// nucdet, which are no annotations.
AnnotatedPicture read_annotated(const io::ManifestEntry& entry, const AskedPixelSize& asked = {});
/// The same where the image was read already, or what is known of it without its pixels.
AnnotatedPicture annotated(const io::ManifestEntry& entry, io::Picture picture, const AskedPixelSize& asked = {});

/// The same, brought to reference pixels. Classes that are not among the names are unknown.
data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry, const ClassNames& names = {});
data::Sample sample_of(Context<Cpu>& context, const io::ManifestEntry& entry, AnnotatedPicture read,
                       const ClassNames& names);

/// What a user should know of how many files were read: the pixel sizes, and the first of what readers had to decide.
class ReadingNotes {
 public:
  void add(const AnnotatedPicture& read);
  /// Sentences, the pixel sizes first.
  std::vector<std::string> lines() const;

 private:
  static constexpr std::size_t kMost = 10;
  PixelSizes sizes_{};
  std::vector<std::string> first_{};
  Index more_ = 0;
};

/// The same for many, on the context's threads. Every entry must have annotations. The error of the first entry that
/// has one is thrown. notes: what there is to say of them, where it is wanted. watch: asked by the calling thread
/// before each image that it reads; throws Stopped.
data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries,
                           const ClassNames& names = {}, ReadingNotes* notes = nullptr, const Watch& watch = {});

/// Annotated nuclei of all images.
std::size_t nuclei_in(const data::Dataset& set);

}  // namespace nucdet::models

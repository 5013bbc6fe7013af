#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/data/dataset.hpp"
#include "nucdet/io/csv.hpp"

/// Data sets from manifests.
namespace nucdet::models {

/// The entries of a manifest (or folder) in a split; all of them for an empty split. Throws IoError if there are none,
/// saying which splits there are. Notes are those of io::read_manifest.
std::vector<io::ManifestEntry> entries_of(const std::filesystem::path& manifest, const std::string& split = {},
                                          std::vector<std::string>* notes = nullptr);

/// The names of all classes that the points of these entries have, in alphabetical order. Throws IoError.
ClassNames class_names_of(const std::vector<io::ManifestEntry>& entries);

/// Reads an entry's image and points and brings them to reference pixels. Classes that are not among the names are
/// unknown. Throws IoError.
data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry, const ClassNames& names = {});

/// The same for many, on the context's threads. Every entry must have annotations. The error of the first entry that
/// has one is thrown.
data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries,
                           const ClassNames& names = {});

/// Annotated nuclei of all images.
std::size_t nuclei_in(const data::Dataset& set);

}  // namespace nucdet::models

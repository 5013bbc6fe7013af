#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/io/csv.hpp"

/// Images to work on, and what their results are called.
namespace nucdet::program {

struct Input {
  io::ManifestEntry entry{};
  std::filesystem::path name{};  ///< of its results, below their folder, without an ending: "patient 3/slide_07"
  bool slide = false;            ///< looked at a tile at a time

  /// A result's file.
  std::filesystem::path result(const std::filesystem::path& folder, const std::string& ending) const {
    return folder / (name.string() + ending);
  }
};

/// The file of an image in a folder: called as its results are, or as the image alone, with one of the endings.
std::optional<std::filesystem::path> file_called(const std::filesystem::path& folder, const Input& input,
                                                 std::span<const std::string_view> endings);

/// The paths in a text: one a line, relative to the text's folder, in their order; blank lines and those that begin
/// with # are skipped. Throws IoError for a text that names none and for a path that it names twice.
std::vector<std::filesystem::path> paths_in(const std::filesystem::path& list);

/// What was given without the @ that may stand before the name of a list: the file or folder itself.
std::filesystem::path file_given(const std::string& given);

/// What results of the images of a manifest, a folder or a list of paths (`@list`, `list.lst`, or a `.txt` that has no
/// header of a manifest) are called: their paths below the folder that all of its images
/// share, so that a split's results are called as those of all. Throws ArgumentError if two were called alike.
std::vector<Input> inputs_of(const std::string& manifest, const std::string& split, bool recursive,
                             std::vector<std::string>* notes = nullptr);

/// The same for images, folders and manifests. An image is called by its own name alone; where that would call two
/// alike, by their paths below the folder that all these images share.
std::vector<Input> inputs_of(const std::vector<std::string>& given, const std::string& split, bool recursive,
                             std::vector<std::string>* notes = nullptr);

/// Tells slides, which are looked at a tile at a time, by their files.
void mark_slides(std::vector<Input>& inputs);

}  // namespace nucdet::program

#include "inputs.hpp"

#include <algorithm>
#include <map>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/models/dataset.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

fs::path plain(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

/// The deepest folder that all files lie below.
fs::path common_folder(const std::vector<fs::path>& files) {
  fs::path common = plain(files.front()).parent_path();
  for (const fs::path& file : files) {
    const fs::path folder = plain(file).parent_path();
    const auto [mine, theirs] = std::mismatch(common.begin(), common.end(), folder.begin(), folder.end());
    fs::path shared;
    for (auto part = common.begin(); part != mine; ++part) shared /= *part;
    common = shared;
  }
  return common;
}

std::vector<fs::path> images_of(const std::vector<io::ManifestEntry>& entries) {
  std::vector<fs::path> files;
  for (const io::ManifestEntry& e : entries) files.push_back(e.image);
  return files;
}

fs::path without_ending(const fs::path& path) { return path.parent_path() / path.stem(); }

void check_names(const std::vector<Input>& inputs) {
  std::map<fs::path, fs::path> seen;
  for (const Input& i : inputs)
    if (const auto [other, added] = seen.emplace(i.name, i.entry.image); !added)
      throw ArgumentError(message("two images are called '", i.name.string(), "', ", other->second.string(), " and ",
                                  i.entry.image.string(), ": their results would overwrite each other; rename one"));
}

bool is_list(const fs::path& path) {
  const std::string ending = small_letters(path.extension().string());
  return fs::is_directory(path) || ending == ".csv" || ending == ".tsv" || ending == ".txt";
}

}  // namespace

std::vector<Input> inputs_of(const std::string& manifest, const std::string& split, bool recursive,
                             std::vector<std::string>* notes) {
  const std::vector<io::ManifestEntry> all = models::entries_of(manifest, "", {recursive}, notes);
  const fs::path root = common_folder(images_of(all));
  std::vector<Input> inputs;
  for (io::ManifestEntry& e : models::in_split(all, split, manifest)) {
    const fs::path name = without_ending(plain(e.image).lexically_relative(root));
    inputs.push_back({std::move(e), name});
  }
  check_names(inputs);
  return inputs;
}

std::optional<fs::path> file_called(const fs::path& folder, const Input& input,
                                    std::span<const std::string_view> endings) {
  std::error_code none;
  for (const fs::path& name : {input.name, input.name.filename()})
    for (const std::string_view ending : endings)
      if (const fs::path file = folder / (name.string() + std::string(ending)); fs::is_regular_file(file, none))
        return file;
  return std::nullopt;
}

std::vector<Input> inputs_of(const std::vector<std::string>& given, const std::string& split, bool recursive,
                             std::vector<std::string>* notes) {
  std::vector<Input> inputs, files;
  for (const std::string& one : given) {
    if (is_list(one)) {
      for (Input& i : inputs_of(one, split, recursive, notes)) inputs.push_back(std::move(i));
      continue;
    }
    Input file;
    file.entry.image = one, file.name = fs::path(one).stem();
    files.push_back(std::move(file));
  }
  std::map<fs::path, int> called;
  for (const Input& i : files) ++called[i.name];
  if (std::any_of(called.begin(), called.end(), [](const auto& c) { return c.second > 1; })) {
    std::vector<fs::path> paths;
    for (const Input& i : files) paths.push_back(i.entry.image);
    const fs::path root = common_folder(paths);
    for (Input& i : files) i.name = without_ending(plain(i.entry.image).lexically_relative(root));
  }
  inputs.insert(inputs.end(), files.begin(), files.end());
  check_names(inputs);
  return inputs;
}

}  // namespace nucdet::program

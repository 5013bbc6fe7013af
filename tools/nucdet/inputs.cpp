#include "inputs.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/slide/open.hpp"

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

std::string ending_of(const fs::path& path) { return small_letters(path.extension().string()); }

/// Of a manifest, a folder, or a list of paths.
bool is_list(const std::string& given) {
  const std::string ending = ending_of(given);
  return given.starts_with('@') || fs::is_directory(given) || ending == ".csv" || ending == ".tsv" ||
         ending == ".txt" || ending == ".lst";
}

constexpr std::uint64_t kLargestList = std::uint64_t{1} << 28;  // bytes

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r"), to = text.find_last_not_of(" \t\r");
  return from == text.npos ? std::string_view() : text.substr(from, to - from + 1);
}

/// Lines that are neither blank nor comments.
std::vector<std::string> lines_of(const fs::path& file) {
  const std::string text = io::detail::InputFile(file).read_all(kLargestList);
  if (text.find('\0') != text.npos)
    throw IoError(message(file.string(), ": is no list of paths: it is no text (UTF-8, a path a line)"));
  std::vector<std::string> lines;
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (const std::string_view line = trimmed(rest.substr(0, end)); !line.empty() && line[0] != '#')
      lines.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

/// Whether a text's first line has the column that every manifest has.
bool has_manifest_header(const fs::path& file) {
  const std::string text = io::detail::InputFile(file).read_all(kLargestList);
  if (text.find('\0') != text.npos) return true;  // a spreadsheet's UTF-16: as a table
  std::string_view line;
  for (std::string_view rest = text; line.empty() && !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    line = trimmed(rest.substr(0, end));
    if (line.starts_with('#')) line = {};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (line.starts_with("sep=")) return true;
  std::string word;
  for (const char c : std::string(line) + ',') {
    const bool apart = c == ',' || c == ';' || c == '\t' || c == ' ' || c == '"';
    if (apart && small_letters(word) == "image") return true;
    word = apart ? std::string() : word + c;
  }
  return false;
}

bool is_list_of_paths(const std::string& given) {
  if (given.starts_with('@')) return true;
  const std::string ending = ending_of(given);
  return !fs::is_directory(given) && (ending == ".lst" || (ending == ".txt" && !has_manifest_header(given)));
}

std::vector<io::ManifestEntry> entries_given(const std::string& given, bool recursive,
                                             std::vector<std::string>* notes) {
  if (!is_list_of_paths(given)) return models::entries_of(given, "", {recursive}, notes);
  std::vector<io::ManifestEntry> entries;
  for (fs::path& path : paths_in(file_given(given))) {
    io::ManifestEntry entry;
    entry.image = std::move(path);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

fs::path file_given(const std::string& given) { return given.starts_with('@') ? given.substr(1) : given; }

std::vector<fs::path> paths_in(const fs::path& list) {
  std::vector<fs::path> paths;
  std::set<fs::path> seen;
  for (const std::string& line : lines_of(list)) {
    paths.push_back((list.parent_path() / line).lexically_normal());
    if (!seen.insert(paths.back()).second) throw IoError(message(list.string(), ": names ", line, " twice"));
  }
  if (paths.empty()) throw IoError(message(list.string(), ": names no images: a path a line was wanted"));
  return paths;
}

std::vector<Input> inputs_of(const std::string& manifest, const std::string& split, bool recursive,
                             std::vector<std::string>* notes) {
  const std::vector<io::ManifestEntry> all = entries_given(manifest, recursive, notes);
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

void mark_slides(std::vector<Input>& inputs) {
  for (Input& i : inputs) i.slide = slide::is_slide(i.entry.image);
}

}  // namespace nucdet::program

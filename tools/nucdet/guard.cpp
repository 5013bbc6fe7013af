#include "guard.hpp"

#include <sys/stat.h>

#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/part_file.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// The same for all names of a file: its place on the disk, or where it would be.
std::string identity(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return message(found.st_dev, ':', found.st_ino);
  std::error_code none;
  return fs::weakly_canonical(io::detail::link_target(path), none).string();
}

bool is_plain_file(const fs::path& path) {
  std::error_code none;
  return fs::is_regular_file(path, none);
}

ArgumentError is_read(const fs::path& output, const fs::path& input) {
  const std::string other = output == input ? "" : message(" ", input.string());
  return ArgumentError(message(output.string(), " is the input", other, ", it cannot be written: choose another name"));
}

}  // namespace

void OutputGuard::input(const fs::path& path) {
  if (path.empty()) return;
  const auto [at, added] = inputs_.emplace(identity(path), path);
  if (const auto written = outputs_.find(at->first); added && written != outputs_.end())
    throw is_read(written->second, path);
}

void OutputGuard::inputs(const std::vector<io::ManifestEntry>& entries) {
  for (const io::ManifestEntry& e : entries) input(e.image), input(e.annotations);
}

void OutputGuard::data_set(const fs::path& manifest) {
  input(manifest), input(manifest / "manifest.csv");
  inputs(io::read_manifest(manifest));
}

void OutputGuard::own_output(const fs::path& file) {
  if (file.empty()) return;
  io::detail::check_replaceable(file);
  std::error_code none;
  if (fs::exists(file, none) && !is_plain_file(file)) return;  // a pipe, /dev/null: any number of results may go there
  const std::string key = identity(file);
  if (const auto read = inputs_.find(key); read != inputs_.end()) throw is_read(file, read->second);
  if (const auto [at, added] = outputs_.emplace(key, file); !added)
    throw ArgumentError(message(file.string(), " would be written twice",
                                at->second == file ? "" : message(" (as ", at->second.string(), ")"),
                                ": choose another name"));
}

void OutputGuard::output(const fs::path& file, io::Product product) {
  own_output(file);
  if (is_plain_file(file)) check_replaced(file, product);
  if (!file.empty()) products_.emplace_back(file, product);
}

void OutputGuard::check_again() const {
  for (const auto& [file, product] : products_)
    if (is_plain_file(file)) check_replaced(file, product);
}

void OutputGuard::check_replaced(const fs::path& file, io::Product product) const {
  if (product == io::Product::none && overwrite_) return;
  const io::Product found = io::product_of(file);
  if (product == io::Product::none)
    throw ArgumentError(message(file.string(), " is there: choose another name, or give --overwrite"));
  if (found == io::Product::none)
    throw ArgumentError(
        message(file.string(), " is there and not a result of nucdet: move it away or choose another --out"));
  if (found != product || product == io::Product::weights)
    throw ArgumentError(
        message(file.string(), " is there, ", io::name_of(found), ": move it away or choose another --out"));
  if (product != io::Product::detections && product != io::Product::scores) return;
  const io::Record record = io::record_of(file);
  if (record == io::Record::same || record == io::Record::earlier || overwrite_) return;
  throw ArgumentError(message(
      file.string(), " is there, ", io::name_of(found),
      record == io::Record::changed ? " that somebody has worked on since" : " without a record of how it was written",
      ": move it away, choose another --out, or give --overwrite"));
}

void OutputGuard::folder(const fs::path& folder) const {
  std::error_code none;
  for (fs::path at = folder; !at.empty(); at = at.parent_path()) {
    if (fs::exists(at, none) && !fs::is_directory(at, none))
      throw IoError(message(folder.string(), ": cannot be made: ", at.string(), " is a file; choose another --out"));
    if (at == at.parent_path()) break;
  }
}

}  // namespace nucdet::program

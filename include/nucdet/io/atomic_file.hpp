#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/part_file.hpp"

namespace nucdet::io {

/// A file that appears whole or not at all: written under a name of its own beside the target, kept on the disk
/// (fsync), then renamed.
///
/// Without `commit` the target stays as it was and the part is removed. A killed process can leave a
/// `.nucdet-*.part` file, which nothing reads and the next one that writes in the folder removes. A link is followed,
/// also to a file that is yet to be made; a file that is replaced hands on its mode; one that is write-protected is not
/// replaced. What is no plain file (a pipe, /dev/stdout) is written directly. Throws IoError.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target) : part_(target) {}

  void write(const void* data, std::size_t bytes) { part_.write(data, bytes); }
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }

  /// Puts the file in its place, or leaves that to the AtomicFiles of this thread.
  void commit();

 private:
  detail::PartFile part_;
};

/// Files that are one result. While it lives, what its thread commits as an AtomicFile, by whatever writer, is written
/// and kept on the disk, but put in its place only by `commit`, all together: a full disk leaves none of them. Without
/// `commit` none appears.
class AtomicFiles {
 public:
  AtomicFiles();
  AtomicFiles(const AtomicFiles&) = delete;
  AtomicFiles& operator=(const AtomicFiles&) = delete;
  ~AtomicFiles();

  /// The content_hash_of each file so far, by the file's name without its folder; " was " and that of the file in whose
  /// place it comes, where there is one and it differs: a process that ends between the two leaves the older one.
  /// Throws IoError.
  std::map<std::string, std::string> records() const;

  /// Puts the files in their places, the one that was committed last first: it tells of the others. Throws IoError.
  void commit();

 private:
  friend class AtomicFile;
  std::vector<detail::PartFile> parts_{};
  AtomicFiles* outer_ = nullptr;
};

namespace detail {

/// A variable and not a function's own: files with the headers alone and those with nucdet::cpu share it.
inline thread_local AtomicFiles* files_of_this_thread = nullptr;

}  // namespace detail

/// The file at `path` becomes `bytes`, or stays as it was and IoError is thrown.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Makes a folder for results, and those above it. Throws IoError.
void make_folder(const std::filesystem::path& folder);

}  // namespace nucdet::io

#ifdef NUCDET_INLINE
#include "nucdet/io/content_hash.hpp"

namespace nucdet::io {

NUCDET_INLINE void AtomicFile::commit() {
  part_.finish();
  if (AtomicFiles* together = detail::files_of_this_thread) return together->parts_.push_back(std::move(part_));
  part_.place();
  part_.keep_place();
}

NUCDET_INLINE AtomicFiles::AtomicFiles() : outer_(detail::files_of_this_thread) { detail::files_of_this_thread = this; }

NUCDET_INLINE AtomicFiles::~AtomicFiles() { detail::files_of_this_thread = outer_; }

NUCDET_INLINE std::map<std::string, std::string> AtomicFiles::records() const {
  std::map<std::string, std::string> all;
  for (const detail::PartFile& part : parts_) {
    if (part.direct()) continue;
    std::string& record = all[part.target().filename().string()];
    record = content_hash_of(part.path());
    std::error_code none;
    if (!std::filesystem::is_regular_file(part.target(), none)) continue;
    if (const std::string old = content_hash_of(part.target()); old != record) record += " was " + old;
  }
  return all;
}

NUCDET_INLINE void AtomicFiles::commit() {
  std::map<std::filesystem::path, const detail::PartFile*>
      folders;  // each is kept on the disk once: it takes as long as a file
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    part->place();
    folders[part->target().parent_path()] = &*part;
  }
  for (const auto& [folder, part] : folders) part->keep_place();
  parts_.clear();
}

NUCDET_INLINE void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

NUCDET_INLINE void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw IoError(message(folder.string(), ": cannot be made: ", error.message()));
}

}  // namespace nucdet::io
#endif

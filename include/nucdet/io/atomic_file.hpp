#pragma once
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet::io {

/// A file that appears whole or not at all: written under a name of its own beside the target, then renamed.
///
/// Without `commit` the target stays as it was and the part is removed. A killed process can leave a `*.part` file,
/// which nothing reads. A link is followed; what is no plain file (a pipe, /dev/stdout) is written directly. Throws
/// IoError.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  void write(const void* data, std::size_t bytes) {
    if (bytes != 0 && std::fwrite(data, 1, bytes, file_) != bytes) fail("cannot be written");
  }
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }

  /// Puts the file in its place.
  void commit();

 private:
  void open();
  [[noreturn]] void fail(const char* what);
  void discard();

  std::filesystem::path target_, part_;
  std::FILE* file_ = nullptr;
  bool direct_ = false;
};

/// The file at `path` becomes `bytes`, or stays as it was and IoError is thrown.
void write_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Makes a folder for results, and those above it. Throws IoError.
void make_folder(const std::filesystem::path& folder);

#ifdef NUCDET_INLINE

NUCDET_INLINE AtomicFile::AtomicFile(const std::filesystem::path& target) : target_(target), part_(target) {
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(target, none);
  if (std::filesystem::is_directory(status)) throw IoError(target_.string() + ": is a folder, a file was wanted");
  direct_ = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  if (std::filesystem::is_regular_file(status)) target_ = std::filesystem::canonical(target);
  open();
}

NUCDET_INLINE void AtomicFile::commit() {
  std::FILE* file = file_;
  file_ = nullptr;
  std::error_code error, none;
  if (std::fclose(file) != 0) error.assign(errno, std::generic_category());  // a full disk shows here
  if (direct_ && !error) return;
  if (!direct_ && !error) std::filesystem::rename(part_, target_, error);
  if (!error) return;
  if (!direct_) std::filesystem::remove(part_, none);
  throw IoError(message(target_.string(), ": cannot be written: ", error.message()));
}

NUCDET_INLINE void AtomicFile::open() {
  // "x" refuses an existing name, so that two writers never share a part.
  for (std::uint64_t attempt = 0; attempt < 100 && file_ == nullptr; ++attempt) {
    const auto ticks = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    const std::uint64_t unique = (ticks + attempt) ^ (reinterpret_cast<std::uintptr_t>(this) << 20);
    if (!direct_) part_ = target_.string() + '.' + std::to_string(unique) + ".part";
    file_ = std::fopen(part_.string().c_str(), direct_ ? "wb" : "wbx");
    if (file_ == nullptr && errno != EEXIST) break;
  }
  if (file_ == nullptr) fail("cannot be created");
}

NUCDET_INLINE void AtomicFile::fail(const char* what) {
  const std::string reason = std::generic_category().message(errno);
  discard();
  throw IoError(message(target_.string(), ": ", what, ": ", reason));
}

NUCDET_INLINE void AtomicFile::discard() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  file_ = nullptr;
  std::error_code none;
  if (!direct_) std::filesystem::remove(part_, none);
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

#endif

}  // namespace nucdet::io

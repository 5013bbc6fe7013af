#pragma once
#include <filesystem>
#include <optional>

namespace nucdet::io {

/// While it lives, no other FileLock of this file can be made, by this process or another one (flock). The file holds
/// nothing; it is removed at the end, and one that a killed process has left locks nothing. On file systems that know
/// no locks every one is granted.
class FileLock {
 public:
  /// Nothing if another one has it. Throws IoError if the file cannot be made.
  static std::optional<FileLock> attempt(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock(std::filesystem::path file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}

  std::filesystem::path file_;
  int descriptor_;
};

}  // namespace nucdet::io

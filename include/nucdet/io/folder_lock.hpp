#pragma once
#include <filesystem>

namespace nucdet::io {

/// While it lives, no other FolderLock of this folder can be made, by this process or another one (flock): two runs
/// that write in one folder would mix their files. The file `.nucdet.lock` that holds it is removed at the end; one
/// that a killed process has left locks nothing. On file systems that know no locks there is none.
class FolderLock {
 public:
  /// Throws IoError if another process works in the folder, and if the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace nucdet::io

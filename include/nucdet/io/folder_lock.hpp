#pragma once
#include <filesystem>

#include "nucdet/io/file_lock.hpp"

namespace nucdet::io {

/// While it lives, no other FolderLock of this folder can be made, by this process or another one: two runs that write
/// in one folder would mix their files. It is the FileLock of `.nucdet.lock` in the folder.
class FolderLock {
 public:
  /// Throws IoError if another process works in the folder, and if the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  FileLock lock_;
};

}  // namespace nucdet::io

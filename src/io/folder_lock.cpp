#include "nucdet/io/folder_lock.hpp"

#include "nucdet/core/error.hpp"

namespace nucdet::io {

namespace {

FileLock lock_of(const std::filesystem::path& folder) {
  if (std::optional<FileLock> lock = FileLock::attempt(folder / ".nucdet.lock")) return std::move(*lock);
  throw IoError(message(folder.string(),
                        ": another run of nucdet works in this folder: wait for its end, or choose "
                        "another one (--out)"));
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : lock_(lock_of(folder)) {}

}  // namespace nucdet::io

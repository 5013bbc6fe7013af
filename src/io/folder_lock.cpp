#include "nucdet/io/folder_lock.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"

namespace nucdet::io {

namespace {

/// The file may have been removed by its last owner between opening and locking it.
bool is_still_there(int descriptor, const std::filesystem::path& file) {
  struct stat own {
  }, named{};
  return ::fstat(descriptor, &own) == 0 && ::stat(file.c_str(), &named) == 0 && own.st_ino == named.st_ino &&
         own.st_dev == named.st_dev;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : file_(folder / ".nucdet.lock") {
  for (;;) {
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    const int opened = errno;
    if (descriptor_ < 0)
      throw IoError(message(folder.string(), ": cannot be locked: ", std::generic_category().message(opened)));
    const bool taken = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && is_still_there(descriptor_, file_)) return;
    ::close(descriptor_);
    if (taken)
      throw IoError(message(folder.string(),
                            ": another run of nucdet works in this folder: wait for its end, or choose "
                            "another one (--out)"));
  }
}

FolderLock::~FolderLock() {
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

}  // namespace nucdet::io

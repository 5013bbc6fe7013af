#include "nucdet/io/file_lock.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

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

std::optional<FileLock> FileLock::attempt(const std::filesystem::path& file) {
  for (;;) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    const int opened = errno;
    if (descriptor < 0)
      throw IoError(message(file.string(), ": cannot be locked: ", std::generic_category().message(opened)));
    const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && is_still_there(descriptor, file)) return FileLock(file, descriptor);
    ::close(descriptor);
    if (taken) return std::nullopt;
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

}  // namespace nucdet::io

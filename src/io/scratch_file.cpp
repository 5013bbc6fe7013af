#include "scratch_file.hpp"

#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

ScratchFile::ScratchFile(const std::filesystem::path& target) : target_(target.string()) {
  std::error_code none;
  const std::filesystem::path at = std::filesystem::weakly_canonical(target, none);
  // A part by its name and lock, so that it is cleared away if the process dies before the name is forgotten.
  name_ = ((at.has_parent_path() ? at.parent_path() : ".") / new_part_name()).string();
  file_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) {
    const int error = errno;
    name_.clear();
    fail(error);
  }
  static_cast<void>(::flock(file_, LOCK_EX | LOCK_NB));
}

ScratchFile::~ScratchFile() {
  forget_name();
  if (file_ >= 0) ::close(file_);
}

void ScratchFile::forget_name() {
  if (!name_.empty()) ::unlink(name_.c_str());
  name_.clear();
}

void ScratchFile::copy_to(AtomicFile& file) {
  std::vector<char> block(std::size_t{1} << 20);
  off_t at = 0;
  for (;;) {
    const ssize_t found = ::pread(file_, block.data(), block.size(), at);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) fail(errno);
    if (found == 0) return;
    file.write(block.data(), static_cast<std::size_t>(found));
    at += found;
  }
}

void ScratchFile::fail(int error) const {
  throw IoError(message(target_, ": cannot be written: ", std::generic_category().message(error)));
}

}  // namespace nucdet::io::detail

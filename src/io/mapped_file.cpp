#include "mapped_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/input_file.hpp"

namespace nucdet::io::detail {

namespace {

constexpr std::uint64_t kReadLimit = std::uint64_t{1} << 31;  // of what is no regular file

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  const std::string reason = std::generic_category().message(errno);
  throw IoError(message(path.string(), ": ", what, ": ", reason));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) {  // InputFile says what is wrong with a folder
    read_ = InputFile(path).read_all(kReadLimit);
    return;
  }
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) fail(path, "cannot be opened");
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail(path, "cannot be opened");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;  // nothing to map
  void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) fail(path, "cannot be mapped");
  address_ = address;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

}  // namespace nucdet::io::detail

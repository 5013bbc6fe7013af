#pragma once
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

/// A file opened to be read. Its errors name the file.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : where_(path.string()) {
    std::error_code none;
    if (std::filesystem::is_directory(path, none)) throw IoError(message(where_, ": is a folder, a file was wanted"));
    const int opened = ::open(where_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (opened >= 0) {
      if (std::filesystem::is_fifo(path, none)) wait_for_writer(opened);
      ::fcntl(opened, F_SETFL, ::fcntl(opened, F_GETFL) & ~O_NONBLOCK);
      file_.reset(::fdopen(opened, "rb"));
      if (!file_) ::close(opened);
    }
    if (!file_) {
      const std::string reason = std::generic_category().message(errno);
      throw IoError(message(where_, ": cannot be opened: ", reason));
    }
  }

  /// Throws IoError if fewer bytes are left.
  void read(void* to, std::size_t bytes) {
    const std::size_t found = bytes == 0 ? 0 : std::fread(to, 1, bytes, file_.get());
    if (found != bytes) throw IoError(message(where_, ": ends early: found ", found, " bytes, wanted ", bytes));
  }

  /// The next bytes, `most` of them unless the file ends before.
  std::size_t read_some(void* to, std::size_t most) {
    const std::size_t found = std::fread(to, 1, most, file_.get());
    if (std::ferror(file_.get()) != 0) throw IoError(message(where_, ": reading failed"));
    return found;
  }

  /// Goes on at byte `at` of the file.
  void seek(std::uint64_t at) {
    if (fseeko(file_.get(), static_cast<off_t>(at), SEEK_SET) != 0)
      throw IoError(message(where_, ": cannot be read from byte ", at, ": ", std::generic_category().message(errno)));
  }

  /// Everything up to the end, from a pipe too. Throws IoError above `limit` bytes.
  std::string read_all(std::uint64_t limit) {
    std::string bytes;
    char block[65536];
    std::size_t found = 0;
    while ((found = std::fread(block, 1, sizeof block, file_.get())) > 0) {
      if (bytes.size() + found > limit)
        throw IoError(message(where_, ": larger than ", limit, " bytes, the most that is read"));
      bytes.append(block, found);
    }
    if (std::ferror(file_.get()) != 0) throw IoError(message(where_, ": reading failed"));
    return bytes;
  }

 private:
  /// Opening a pipe as other files are would wait for ever where nobody writes, deaf to signals.
  void wait_for_writer(int pipe) const {
    pollfd readable{pipe, POLLIN, 0};
    constexpr int kMilliseconds = 10'000;
    if (::poll(&readable, 1, kMilliseconds) > 0) return;
    ::close(pipe);
    throw IoError(message(where_, ": is a pipe, and nobody writes to it"));
  }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string where_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace nucdet::io::detail

#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace nucdet::io::detail {

/// The bytes of a file, mapped where it is a regular one: reading a picture needs no second copy of its file. What is
/// no regular file (a pipe) is read into memory.
class MappedFile {
 public:
  /// Throws IoError if the file cannot be opened or mapped.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const {
    if (address_ != nullptr) return {static_cast<const std::byte*>(address_), size_};
    return std::as_bytes(std::span(read_));
  }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
  std::string read_;
};

}  // namespace nucdet::io::detail

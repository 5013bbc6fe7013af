#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/detail/input_file.hpp"

namespace nucdet::io {

/// The ContentHash of a file's bytes, or of the first `most` of them, 16 hexadecimal digits. Throws IoError.
std::string content_hash_of(const std::filesystem::path& path, std::uint64_t most = ~std::uint64_t{0});

/// By what a large file is known again without reading all of it: its size and 64 kB each of its head, middle and tail;
/// all of a file that is no larger. Not the time of its last change: a copy is the same file. Throws IoError.
std::string sampled_hash_of(const std::filesystem::path& path);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::string content_hash_of(const std::filesystem::path& path, std::uint64_t most) {
  detail::InputFile file(path);
  std::vector<char> bytes(std::size_t{1} << 16);
  ContentHash hash;
  while (most > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, bytes.size()));
    const std::size_t found = file.read_some(bytes.data(), wanted);
    if (found == 0) break;
    hash.add(bytes.data(), found), most -= found;
  }
  return hash.text();
}

NUCDET_INLINE std::string sampled_hash_of(const std::filesystem::path& path) {
  constexpr std::uint64_t kSample = std::uint64_t{1} << 16;
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error || size <= 3 * kSample) return content_hash_of(path);  // which says what is wrong with it
  detail::InputFile file(path);
  std::vector<char> bytes(kSample);
  ContentHash hash;
  hash.add(size);
  for (const std::uint64_t at : {std::uint64_t{0}, (size - kSample) / 2, size - kSample}) {
    file.seek(at);
    file.read(bytes.data(), bytes.size());
    hash.add(bytes.data(), bytes.size());
  }
  return hash.text();
}

#endif

}  // namespace nucdet::io

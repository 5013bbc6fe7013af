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

#endif

}  // namespace nucdet::io

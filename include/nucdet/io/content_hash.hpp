#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/detail/input_file.hpp"

namespace nucdet::io {

/// The ContentHash of a file's bytes, 16 hexadecimal digits. Throws IoError.
std::string content_hash_of(const std::filesystem::path& path);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::string content_hash_of(const std::filesystem::path& path) {
  detail::InputFile file(path);
  std::vector<char> bytes(std::size_t{1} << 16);
  ContentHash hash;
  while (const std::size_t found = file.read_some(bytes.data(), bytes.size())) hash.add(bytes.data(), found);
  return hash.text();
}

#endif

}  // namespace nucdet::io

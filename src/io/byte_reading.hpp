#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace nucdet::io::detail {

using Bytes = std::span<const std::byte>;

inline bool begins_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// An unsigned number of `count` bytes at `at`, which must lie within.
inline std::uint32_t number_at(Bytes bytes, std::size_t at, std::size_t count, bool little_endian = false) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + (little_endian ? count - 1 - i : i)]);
  return value;
}

}  // namespace nucdet::io::detail

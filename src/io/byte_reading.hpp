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

inline bool is_png(Bytes bytes) { return begins_with(bytes, "\x89PNG\r\n\x1a\n"); }
/// TIFF and BigTIFF, of either byte order.
inline bool is_tiff(Bytes bytes) {
  using std::string_view_literals::operator""sv;
  return begins_with(bytes, "II*\0"sv) || begins_with(bytes, "MM\0*"sv) || begins_with(bytes, "II+\0"sv) ||
         begins_with(bytes, "MM\0+"sv);
}
inline constexpr std::string_view kSqliteMagic{"SQLite format 3\0", 16};

/// An unsigned number of `count` bytes at `at`, which must lie within.
inline std::uint32_t number_at(Bytes bytes, std::size_t at, std::size_t count, bool little_endian = false) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + (little_endian ? count - 1 - i : i)]);
  return value;
}

}  // namespace nucdet::io::detail

#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace nucdet::io::detail {

inline bool is_gzip(std::string_view bytes) { return bytes.substr(0, 2) == "\x1F\x8B"; }

/// What was gzipped; several members follow each other. Throws IoError, naming `where`, for damaged bytes and for more
/// than `most` bytes of text.
std::string gunzip(std::string_view bytes, std::string_view where, std::uint64_t most);

/// A zlib stream's bytes. Throws as gunzip does.
std::string inflate_zlib(std::string_view bytes, std::string_view where, std::uint64_t most);

}  // namespace nucdet::io::detail

#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/io/detail/json_text.hpp"

namespace nucdet::io::detail {

/// What the header of a safetensors file says of one tensor; begin and end are bytes after the header.
struct SafeTensorEntry {
  std::string name, dtype;
  std::vector<Index> shape;
  std::uint64_t begin = 0, end = 0;
};

struct SafeTensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<SafeTensorEntry> entries;  // in the order of their data
};

/// Bytes of an element, 0 for a type that the format does not know.
inline std::uint64_t safetensors_element_bytes(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> known{{{"BOOL", 1},
                                                                              {"U8", 1},
                                                                              {"I8", 1},
                                                                              {"F8_E5M2", 1},
                                                                              {"F8_E4M3", 1},
                                                                              {"I16", 2},
                                                                              {"U16", 2},
                                                                              {"F16", 2},
                                                                              {"BF16", 2},
                                                                              {"I32", 4},
                                                                              {"U32", 4},
                                                                              {"F32", 4},
                                                                              {"F64", 8},
                                                                              {"I64", 8},
                                                                              {"U64", 8}}};
  for (const auto& [name, bytes] : known)
    if (name == dtype) return bytes;
  return 0;
}

/// Bytes of an array; false if a size is negative, the type unknown, or the product does not fit 63 bits.
inline bool safetensors_bytes(std::string_view dtype, const std::vector<Index>& shape, std::uint64_t& bytes) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  bytes = safetensors_element_bytes(dtype);
  if (bytes == 0 || std::any_of(shape.begin(), shape.end(), [](Index size) { return size < 0; })) return false;
  if (std::find(shape.begin(), shape.end(), Index{0}) != shape.end()) {
    bytes = 0;
    return true;
  }
  for (const Index size : shape) {
    if (bytes > most / static_cast<std::uint64_t>(size)) return false;
    bytes *= static_cast<std::uint64_t>(size);
  }
  return true;
}

/// Reads and checks the header: every rule of the format, so that a reader may trust the entries.
class SafeTensorsHeaderParser {
 public:
  SafeTensorsHeaderParser(std::string_view text, std::uint64_t data_bytes, std::string_view where)
      : json_(text, where), where_(where), data_bytes_(data_bytes) {}

  SafeTensorsHeader parse() {
    json_.expect('{');
    bool has_metadata = false;
    if (!json_.accept('}')) {
      do {
        std::string name = json_.string();
        json_.expect(':');
        if (name != "__metadata__") {
          read_entry(std::move(name));
        } else {
          if (has_metadata) fail("'__metadata__' is there twice");
          has_metadata = true;
          read_metadata();
        }
      } while (json_.accept(','));
      json_.expect('}');
    }
    json_.expect_end();
    check_names();
    check_offsets();
    return std::move(header_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw IoError(message(where_, ": ", parts...));
  }

  void read_metadata() {
    json_.expect('{');
    if (json_.accept('}')) return;
    do {
      std::string key = json_.string();
      json_.expect(':');
      std::string value = json_.string();
      if (!header_.metadata.emplace(key, std::move(value)).second) fail("metadata '", key, "' is there twice");
    } while (json_.accept(','));
    json_.expect('}');
  }

  void read_entry(std::string name) {
    SafeTensorEntry entry;
    entry.name = std::move(name);
    bool dtype = false, shape = false, offsets = false;
    const auto once = [&](bool& seen, const char* field) {
      if (seen) fail("tensor '", entry.name, "' has '", field, "' twice");
      seen = true;
    };
    json_.expect('{');
    do {
      const std::string field = json_.string();
      json_.expect(':');
      if (field == "dtype") {
        once(dtype, "dtype");
        entry.dtype = json_.string();
      } else if (field == "shape") {
        once(shape, "shape");
        read_shape(entry);
      } else if (field == "data_offsets") {
        once(offsets, "data_offsets");
        json_.expect('['), entry.begin = json_.integer();
        json_.expect(','), entry.end = json_.integer();
        json_.expect(']');
      } else {
        fail("tensor '", entry.name, "' has '", field, "', wanted dtype, shape and data_offsets only");
      }
    } while (json_.accept(','));
    json_.expect('}');
    if (!dtype || !shape || !offsets) fail("tensor '", entry.name, "' lacks dtype, shape or data_offsets");
    check_size(entry);
    header_.entries.push_back(std::move(entry));
  }

  void read_shape(SafeTensorEntry& entry) {
    json_.expect('[');
    if (json_.accept(']')) return;
    do {
      if (entry.shape.size() == 32) fail("tensor '", entry.name, "' has more than 32 dimensions");
      entry.shape.push_back(static_cast<Index>(json_.integer()));
    } while (json_.accept(','));
    json_.expect(']');
  }

  void check_size(const SafeTensorEntry& entry) const {
    std::uint64_t bytes = 0;
    if (safetensors_element_bytes(entry.dtype) == 0)
      fail("tensor '", entry.name, "' has the unknown type '", entry.dtype, "'");
    if (!safetensors_bytes(entry.dtype, entry.shape, bytes)) fail("tensor '", entry.name, "' is too large");
    if (entry.begin > entry.end || entry.end > data_bytes_)
      fail("tensor '", entry.name, "' lies at bytes ", entry.begin, " to ", entry.end, " of ", data_bytes_);
    if (entry.end - entry.begin != bytes)
      fail("tensor '", entry.name, "' has ", entry.end - entry.begin, " bytes, its type and shape want ", bytes);
  }

  void check_names() {
    std::vector<std::string_view> names;
    for (const SafeTensorEntry& entry : header_.entries) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail("tensor '", *twice, "' is there twice");
  }

  /// The data follow one another without gap or overlap, from the end of the header to the end of the file.
  void check_offsets() {
    std::sort(header_.entries.begin(), header_.entries.end(), [](const SafeTensorEntry& a, const SafeTensorEntry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t at = 0;
    for (const SafeTensorEntry& entry : header_.entries) {
      if (entry.begin != at) fail("tensor '", entry.name, "' begins at byte ", entry.begin, ", wanted ", at);
      at = entry.end;
    }
    if (at != data_bytes_) fail("the tensors have ", at, " bytes, the file holds ", data_bytes_, " after its header");
  }

  JsonText json_;
  std::string_view where_;
  std::uint64_t data_bytes_;
  SafeTensorsHeader header_;
};

}  // namespace nucdet::io::detail

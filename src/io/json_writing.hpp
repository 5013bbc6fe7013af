#pragma once
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/json.hpp"

/// What the writers of JSON share.
namespace nucdet::io::detail {

using Json = nlohmann::ordered_json;

/// The double whose shortest form is that of the float: 0.3f is written as 0.3.
inline double shortest(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double wide = 0;
  std::from_chars(text, end, wide);
  return wide;
}

/// A number in its shortest form, as nlohmann's writer has it: always with a point or an exponent; null if not finite.
template <class T>
void append_json_number(std::string& text, T value) {
  if (!std::isfinite(value)) {
    text += "null";
    return;
  }
  char digits[40];
  const std::string_view written(
      digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
  text += written;
  if (written.find_first_of(".e") == std::string_view::npos) text += ".0";
}

/// File names may hold anything: what is not UTF-8 becomes U+FFFD.
inline std::string text_of(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

inline void write_json(const std::filesystem::path& path, const Json& json, int indent) {
  write_atomically(path, text_of(json, indent) + '\n');
}

/// The end of an object that tells of files beside it, and of itself by the hash of what stands before (record_of).
inline std::string record_text(const std::filesystem::path& path, const ContentHash& own,
                               std::map<std::string, std::string> files) {
  files[path.filename().string()] = own.text();
  return ',' + text_of(Json{{"files", files}}, 1).substr(1) + '\n';
}

/// {"x", "y", "source"}
Json json_of(const PixelSize& size);
/// {"name", "x", "y"}
Json json_of(const DetectionReport::Origin& origin);

/// Who made a file of nuclei, and of what: {"version", "format", "image", "width", "height", ...}.
Json provenance(const DetectionReport& report, const char* format);

}  // namespace nucdet::io::detail

#pragma once
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/atomic_file.hpp"

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

inline void write_json(const std::filesystem::path& path, const Json& json, int indent) {
  // File names may hold anything: what is not UTF-8 becomes U+FFFD.
  write_atomically(path, json.dump(indent, ' ', false, Json::error_handler_t::replace) + '\n');
}

/// The same of an object, with a record at its end of how it and the files beside it were written: see record_of. Its
/// own hash is that of everything before the record.
inline void write_json_with_record(const std::filesystem::path& path, const Json& json, int indent,
                                   std::map<std::string, std::string> files) {
  std::string text = json.dump(indent, ' ', false, Json::error_handler_t::replace);
  text.resize(text.rfind("\n}"));
  ContentHash hash;
  hash.add(text);
  files[path.filename().string()] = hash.text();
  const std::string record = Json{{"files", files}}.dump(indent, ' ', false, Json::error_handler_t::replace);
  write_atomically(path, text + ',' + record.substr(1) + '\n');
}

}  // namespace nucdet::io::detail

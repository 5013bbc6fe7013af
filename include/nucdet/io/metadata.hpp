#pragma once
#include <charconv>
#include <cmath>
#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "nucdet/core/error.hpp"

/// Numbers in a weight file's metadata, which holds texts.
namespace nucdet::io {

using Metadata = std::map<std::string, std::string>;

/// The shortest text that is read back as the same number.
template <std::floating_point T>
std::string number_text(T value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

namespace detail {

inline IoError wrong_metadata(std::string_view where, const std::string& key, const std::string& found,
                              std::string_view wanted) {
  return IoError(message(where, ": metadata '", key, "' is ", found, ", wanted ", wanted));
}

/// The finite numbers of a text, apart by spaces; none at all if one of them is something else.
inline std::vector<double> numbers_in(const std::string& text) {
  std::vector<double> numbers;
  const char *at = text.data(), *const end = at + text.size();
  while (at != end) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value) || (next != end && *next != ' ')) return {};
    numbers.push_back(value);
    at = next;
    while (at != end && *at == ' ') ++at;
  }
  return numbers;
}

}  // namespace detail

/// The number under `key`, or `otherwise` if the key is not there. Throws IoError, naming file and entry, for anything
/// but one finite number.
inline double metadata_number(const Metadata& metadata, const std::string& key, double otherwise,
                              std::string_view where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return otherwise;
  const std::vector<double> numbers = detail::numbers_in(found->second);
  if (numbers.size() != 1) throw detail::wrong_metadata(where, key, "'" + found->second + "'", "one finite number");
  return numbers[0];
}

}  // namespace nucdet::io

#pragma once
#include <iostream>

#include <nlohmann/json.hpp>

#include "nucdet/core/shape.hpp"

namespace nucdet::program {

/// Results of commands on the standard output, for --json: members in their order. Numbers that are not finite become
/// null.
using Json = nlohmann::ordered_json;

/// One line. Bytes that are not UTF-8 become U+FFFD.
inline void print_json(const Json& json) {
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

/// A count in JSON that anybody may have written; 0 for what is none.
inline Index whole_number(const Json& value) {
  const double number = value.is_number() ? value.get<double>() : 0;
  return number > 0 && number < 1e15 ? static_cast<Index>(number) : 0;
}

}  // namespace nucdet::program

#pragma once
#include <iostream>

#include <nlohmann/json.hpp>

namespace nucdet::program {

/// Results of commands on the standard output, for --json: members in their order. Numbers that are not finite become
/// null.
using Json = nlohmann::ordered_json;

/// One line. Bytes that are not UTF-8 become U+FFFD.
inline void print_json(const Json& json) {
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace nucdet::program

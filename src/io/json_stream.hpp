#pragma once
#include <functional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nucdet::io::detail {

/// Reads a JSON text whose bulk is one list: the root itself, or the root object's member `list`. Each element goes to
/// `consume` and is forgotten, so that memory does not grow with the list. Members called `ignored` are not kept,
/// wherever they are. Returns the root without the elements. Throws IoError, naming `where`, for what is no JSON and
/// for what is nested deeper than any of the formats.
nlohmann::json parse_list(std::string_view text, std::string_view where, std::string_view list,
                          std::string_view ignored, const std::function<void(const nlohmann::json&)>& consume);

}  // namespace nucdet::io::detail

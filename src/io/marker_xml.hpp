#pragma once
#include <string_view>

#include "nucdet/io/annotations.hpp"

namespace nucdet::io::detail {

/// The markers of ImageJ's Cell Counter; a marker's type, or the name that it was given, is its class. Throws IoError,
/// naming `where`, for other XML.
Annotations parse_marker_xml(std::string_view text, std::string_view where);

}  // namespace nucdet::io::detail

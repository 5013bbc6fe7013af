#pragma once
#include <string_view>

#include "nucdet/io/annotations.hpp"

namespace nucdet::io::detail {

inline bool is_imagej_roi(std::string_view bytes) { return bytes.substr(0, 4) == "Iout"; }

/// The points of an ImageJ selection (.roi) made with the point or multi-point tool, whose whole numbers are centres of
/// pixels. Throws IoError, naming `where`, for other selections.
Annotations parse_imagej_roi(std::string_view bytes, std::string_view where);

}  // namespace nucdet::io::detail

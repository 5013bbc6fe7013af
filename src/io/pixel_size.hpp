#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "nucdet/io/picture.hpp"

namespace nucdet::io::detail {

/// um in a unit of length by its name ("um", "micron", "nm", "inch", ...), in the ways in which OME-XML and ImageJ
/// write it; empty for what is no length ("pixel").
std::optional<double> um_of(std::string_view unit);

/// A size that a file states; unknown if it is no positive finite number.
PixelSize stated_size(double x, double y, std::string source);
/// A size by pixels a unit, unknown from 10 um on: such resolutions are those of prints and screens.
PixelSize resolution_size(double x_per_unit, double y_per_unit, double um_per_unit, std::string source);

}  // namespace nucdet::io::detail

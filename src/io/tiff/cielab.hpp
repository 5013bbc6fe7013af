#pragma once
#include <cstdint>

#include "nucdet/core/shape.hpp"

namespace nucdet::io::detail {

/// CIE L*a*b* as TIFF stores it (L* unsigned, a* and b* signed; of 16 bits in 256ths), of the white of D50, to sRGB,
/// in place. `count` pixels of three samples.
void cielab_to_rgb(std::uint8_t* samples, Index count);
void cielab_to_rgb(std::uint16_t* samples, Index count);

}  // namespace nucdet::io::detail

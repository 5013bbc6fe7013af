#pragma once
#include <string>

#include "nucdet/io/picture.hpp"

namespace nucdet::io {

/// A picture of `longest` pixels at most along its longer side, as the bytes of a JPEG file: each pixel is the mean of
/// those that it stands for. Throws ArgumentError for a `longest` below 1, ShapeError for an empty picture.
std::string thumbnail_jpeg(const Picture& picture, Index longest, int quality = 85);

}  // namespace nucdet::io

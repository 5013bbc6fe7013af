#pragma once
#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide {

/// The whole slide as a picture whose longer side has at most `longest` pixels: the mean of what each pixel covers, of
/// the coarsest level that is not smaller. Never larger than level 0. Throws IoError as the slide does, ArgumentError
/// for a side below 1 or above 32768.
io::Picture thumbnail(const Slide& slide, Index longest);

}  // namespace nucdet::slide

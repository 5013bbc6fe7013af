#pragma once
#include "nucdet/core/watch.hpp"
#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide {

/// The whole slide as a picture whose longer side has at most `longest` pixels: the mean of what each pixel covers, of
/// the coarsest level that is not smaller. Never larger than level 0. Throws IoError as the slide does, ArgumentError
/// for a side below 1 or above 32768, Stopped by the watch, which counts blocks of some MB.
io::Picture thumbnail(const Slide& slide, Index longest, const Watch& watch = {});
/// The same of a part of level 0. Throws ArgumentError for one that has no pixels.
io::Picture thumbnail_of(const Slide& slide, const Rectangle& part, Index longest, const Watch& watch = {});

}  // namespace nucdet::slide

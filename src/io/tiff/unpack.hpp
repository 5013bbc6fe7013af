#pragma once
#include "rows.hpp"

namespace nucdet::io::detail {

/// `count` packed samples of a row, as libtiff hands them on, in the type of type_of.
void unpack(const std::uint8_t* packed, Index count, const TiffSamples& samples, SampleType type, std::uint8_t* to);

/// Puts the channel of `count` pixels between those of the others.
void interleave(const std::uint8_t* channel, Index count, Index size, Index channels, std::uint8_t* to);

}  // namespace nucdet::io::detail

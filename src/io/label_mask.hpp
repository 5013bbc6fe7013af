#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "nucdet/io/annotations.hpp"

namespace nucdet::io::detail {

/// The nuclei of a label mask (PNG of 8 or 16 bits, grey or by palette; TIFF of one channel of 8, 16 or 32 bits, whole
/// numbers, also as floats): each value but 0 is one, at the centroid of its pixels, in the order of the values. Where
/// there is one value besides 0, a mask without labels, its 8-connected components are the nuclei, in the order of
/// their first pixels, and a note says so. Points are those of the picture turned by its orientation, as in
/// read_picture. Throws IoError, in the name of `where`, for colours, several channels, negative or broken numbers, and
/// damaged files.
Annotations label_centroids(std::span<const std::byte> bytes, std::string_view where);

}  // namespace nucdet::io::detail

#pragma once
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/io/picture.hpp"

/// What is said of annotations and their images on the standard error.
namespace nucdet::program {

/// Points that no training would take: more than half a pixel outside of the image (data::make_sample).
inline std::size_t points_outside(const std::vector<Point>& points, Index width, Index height) {
  const auto w = static_cast<double>(width), h = static_cast<double>(height);
  return static_cast<std::size_t>(std::count_if(
      points.begin(), points.end(), [&](Point p) { return !(p.x >= -1.0 && p.y >= -1.0 && p.x <= w && p.y <= h); }));
}

/// um a pixel, 0 where it is not known.
inline double um_per_pixel(const io::PixelSize& size) { return size.known() ? (size.x + size.y) / 2 : 0; }

inline void tell(const std::filesystem::path& file, const std::string& note) {
  std::cerr << "nucdet: " << printable(message(file.string(), ": ", note)) << '\n';
}

}  // namespace nucdet::program

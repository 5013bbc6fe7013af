#include "nucdet/io/thumbnail.hpp"

#include <algorithm>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

namespace nucdet::io {

namespace {

/// The means of rectangles of pixels, as bytes. `shift`: bits of a value beyond eight.
template <class T>
std::vector<std::uint8_t> reduced(const std::vector<T>& from, Index width, Index height, Index to_width,
                                  Index to_height, int shift) {
  std::vector<std::uint8_t> to(static_cast<std::size_t>(to_width * to_height * 3));
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(to_width) * 3);
  for (Index y = 0; y < to_height; ++y) {
    std::fill(sums.begin(), sums.end(), 0);
    const Index top = y * height / to_height, bottom = std::max(top + 1, (y + 1) * height / to_height);
    for (Index row = top; row < bottom; ++row)
      for (Index x = 0; x < to_width; ++x)
        for (Index column = x * width / to_width; column < (x + 1) * width / to_width; ++column)
          for (Index c = 0; c < 3; ++c)
            sums[static_cast<std::size_t>(x * 3 + c)] += from[static_cast<std::size_t>((row * width + column) * 3 + c)];
    for (Index x = 0; x < to_width; ++x) {
      const Index columns = (x + 1) * width / to_width - x * width / to_width;
      const auto pixels = static_cast<std::uint64_t>((bottom - top) * columns);
      for (Index c = 0; c < 3; ++c)
        to[static_cast<std::size_t>((y * to_width + x) * 3 + c)] =
            static_cast<std::uint8_t>((sums[static_cast<std::size_t>(x * 3 + c)] / pixels) >> shift);
    }
  }
  return to;
}

}  // namespace

std::string thumbnail_jpeg(const Picture& picture, Index longest, int quality) {
  if (longest < 1) throw ArgumentError(message("thumbnail_jpeg: ", longest, " pixels, wanted at least 1"));
  const Index width = picture.width, height = picture.height;
  if (width < 1 || height < 1) throw ShapeError(message("thumbnail_jpeg: a picture of ", width, " x ", height));
  const Index most = std::max(width, height), side = std::min(longest, most);
  const Index to_width = std::max<Index>(1, width * side / most), to_height = std::max<Index>(1, height * side / most);
  const std::vector<std::uint8_t> rgb = std::visit(
      [&](const auto& values) {
        const int shift = (static_cast<int>(sizeof(values[0])) - 1) * 8;
        return reduced(values, width, height, to_width, to_height, shift);
      },
      picture.pixels);
  return detail::encode_jpeg(rgb, to_width, to_height, quality);
}

}  // namespace nucdet::io

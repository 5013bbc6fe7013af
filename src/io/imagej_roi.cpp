#include "imagej_roi.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

// Places in the header, and values there (ij/io/RoiDecoder).
constexpr std::size_t kHeader = 64, kType = 6, kTop = 8, kLeft = 10, kCount = 16, kLargeCount = 18, kOptions = 50;
constexpr unsigned kPointType = 10, kSubPixel = 128;

/// Big-endian numbers of a file that may end early.
class RoiBytes {
 public:
  RoiBytes(std::string_view bytes, std::string_view where) : bytes_(bytes), where_(where) {}
  std::uint32_t unsigned_at(std::size_t at, std::size_t width) const {
    if (at + width > bytes_.size())
      throw IoError(message(where_, ": ends early: found ", bytes_.size(), " bytes, wanted ", at + width));
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
    return value;
  }
  double short_at(std::size_t at) const { return static_cast<std::int16_t>(unsigned_at(at, 2)); }
  double float_at(std::size_t at) const {
    const double value = static_cast<double>(std::bit_cast<float>(unsigned_at(at, 4)));
    if (!(std::abs(value) <= kLargestCoordinate))
      throw IoError(message(where_, ": byte ", at, " is no coordinate of a pixel"));
    return value;
  }

 private:
  std::string_view bytes_, where_;
};

}  // namespace

Annotations parse_imagej_roi(std::string_view bytes, std::string_view where) {
  const RoiBytes file(bytes, where);
  const unsigned type = file.unsigned_at(kType, 1);
  if (type != kPointType)
    throw IoError(message(where, ": is an ImageJ selection of the type ", type,
                          ", wanted points (type 10), as the point and multi-point tools make them"));
  std::size_t count = file.unsigned_at(kCount, 2);
  if (count == 0) count = file.unsigned_at(kLargeCount, 4);
  const bool exact = (file.unsigned_at(kOptions, 2) & kSubPixel) != 0;
  const std::size_t width = exact ? 4 : 2, first = kHeader + (exact ? 4 * count : 0);
  if (count > 0) file.unsigned_at(first + 2 * width * count - width, width);  // before memory is asked for
  Annotations found{.format = "ImageJ points"};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t x = first + width * i, y = x + width * count;
    if (exact)
      found.points.push_back({file.float_at(x), file.float_at(y)});
    else
      found.points.push_back({file.short_at(x) + file.short_at(kLeft), file.short_at(y) + file.short_at(kTop)});
  }
  return found;
}

}  // namespace nucdet::io::detail

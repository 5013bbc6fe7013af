#include "exif.hpp"

#include <algorithm>

#include "byte_reading.hpp"

namespace nucdet::io::detail {

int exif_orientation(std::span<const std::byte> exif) {
  using std::string_view_literals::operator""sv;
  if (begins_with(exif, "Exif\0\0"sv)) exif = exif.subspan(6);
  const bool little = begins_with(exif, "II*\0"sv);
  if (exif.size() < 10 || !(little || begins_with(exif, "MM\0*"sv))) return 1;
  const std::size_t directory = number_at(exif, 4, 4, little);
  if (directory > exif.size() - 2) return 1;
  const std::size_t room = (exif.size() - directory - 2) / 12;
  const std::size_t entries = std::min<std::size_t>(number_at(exif, directory, 2, little), room);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (number_at(exif, at, 2, little) != 274 || number_at(exif, at + 2, 2, little) != 3) continue;
    const std::uint32_t value = number_at(exif, at + 8, 2, little);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace nucdet::io::detail

#include <algorithm>
#include <cstring>

#include "nucdet/core/error.hpp"
#include "nucdet/slide/open.hpp"

namespace nucdet::slide {

PicturePyramid::PicturePyramid(io::Picture picture)
    : picture_(std::move(picture)), level_{picture_.width, picture_.height, 1, 1, 0, 0} {
  if (picture_.width < 1 || picture_.height < 1) throw ArgumentError("PicturePyramid: the picture is empty");
}

void PicturePyramid::read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
  if (level != 0) throw IoError(message(where(), ": level ", level, ", a picture has one"));
  std::fill_n(rgb, r.width * r.height * 3, std::uint8_t{255});
  const Index left = std::max<Index>(0, r.x), right = std::min(picture_.width, r.x + r.width);
  const Index top = std::max<Index>(0, r.y), bottom = std::min(picture_.height, r.y + r.height);
  for (Index y = top; y < bottom; ++y) {
    std::uint8_t* const to = rgb + ((y - r.y) * r.width + left - r.x) * 3;
    const Index from = (y * picture_.width + left) * 3, count = std::max<Index>(0, right - left) * 3;
    if (const auto* bytes = std::get_if<io::Picture::Bytes>(&picture_.pixels)) {
      std::copy_n(bytes->data() + from, count, to);
    } else {
      const auto& words = std::get<io::Picture::Words>(picture_.pixels);
      std::transform(words.data() + from, words.data() + from + count, to,
                     [](std::uint16_t v) { return static_cast<std::uint8_t>((v * 255u + 32767u) / 65535u); });
    }
  }
}

}  // namespace nucdet::slide

#include <algorithm>
#include <cstring>

#include "nucdet/core/error.hpp"
#include "nucdet/slide/open.hpp"

#include "rectangles.hpp"

namespace nucdet::slide {

PicturePyramid::PicturePyramid(io::Picture picture)
    : picture_(std::move(picture)), level_{picture_.width, picture_.height, 1, 1, 0, 0} {
  if (picture_.width < 1 || picture_.height < 1) throw ArgumentError("PicturePyramid: the picture is empty");
}

void PicturePyramid::read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
  const Rectangle part = detail::begin_read(where(), levels(), level, r, rgb);
  for (Index y = part.y; y < part.y + part.height; ++y) {
    std::uint8_t* const to = rgb + ((y - r.y) * r.width + part.x - r.x) * 3;
    const Index from = (y * picture_.width + part.x) * 3, count = part.width * 3;
    if (const auto* bytes = std::get_if<io::Picture::Bytes>(&picture_.pixels)) {
      std::copy_n(bytes->data() + from, count, to);
    } else {
      const auto& words = std::get<io::Picture::Words>(picture_.pixels);
      std::transform(words.data() + from, words.data() + from + count, to, detail::byte_of_word);
    }
  }
}

}  // namespace nucdet::slide

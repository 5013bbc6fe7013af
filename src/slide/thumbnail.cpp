#include "nucdet/slide/thumbnail.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"

#include "blocks.hpp"

namespace nucdet::slide {

namespace {

constexpr Index kLongestThumbnail = 32768;

/// Where the pixels of an axis go if it is made smaller: each to one pixel, or a part of it to the next.
class Shares {
 public:
  struct Share {
    Index to;
    double here, next;
  };

  Shares(Index from, Index to) {
    const double scale = static_cast<double>(to) / static_cast<double>(from);
    for (Index x = 0; x < from; ++x) {
      const double begin = static_cast<double>(x) * scale, end = static_cast<double>(x + 1) * scale;
      const Index at = std::min(to - 1, static_cast<Index>(begin));
      const double here = at + 1 < to ? std::min(1.0, (static_cast<double>(at + 1) - begin) / (end - begin)) : 1.0;
      all_.push_back({at, here, 1 - here});
    }
  }
  const Share& operator[](Index x) const { return all_[static_cast<std::size_t>(x)]; }

 private:
  std::vector<Share> all_;
};

/// Of a part of a level.
class Means {
 public:
  Means(const Rectangle& part, Index width, Index height)
      : part_(part),
        width_(width),
        height_(height),
        across_(part.width, width),
        down_(part.height, height),
        pixels_of_one_(static_cast<double>(part.width) / static_cast<double>(width) * static_cast<double>(part.height) /
                       static_cast<double>(height)),
        sums_(static_cast<std::size_t>(3 * (width + 1) * (height + 1))) {}  // a share of 0 may go beyond the border

  void add(const Rectangle& r, const std::uint8_t* rgb) {
    for (Index y = r.y; y < r.y + r.height; ++y) {
      const auto& down = down_[y - part_.y];
      for (Index x = r.x; x < r.x + r.width; ++x, rgb += 3) {
        const auto& across = across_[x - part_.x];
        double* const to = sums_.data() + 3 * (down.to * (width_ + 1) + across.to);
        double* const below = to + 3 * (width_ + 1);
        for (int c = 0; c < 3; ++c) {
          to[c] += down.here * across.here * rgb[c], to[c + 3] += down.here * across.next * rgb[c];
          below[c] += down.next * across.here * rgb[c], below[c + 3] += down.next * across.next * rgb[c];
        }
      }
    }
  }

  io::Picture::Bytes take() const {
    io::Picture::Bytes rgb;
    for (Index y = 0; y < height_; ++y)
      for (Index i = 0; i < 3 * width_; ++i) {
        const double mean = sums_[static_cast<std::size_t>(3 * y * (width_ + 1) + i)] / pixels_of_one_;
        rgb.push_back(static_cast<std::uint8_t>(std::clamp(mean + 0.5, 0.0, 255.0)));
      }
    return rgb;
  }

 private:
  Rectangle part_;
  Index width_, height_;
  Shares across_, down_;
  double pixels_of_one_;
  std::vector<double> sums_;
};

/// The coarsest level on which a part of level 0 has at least so many pixels along its longer side; level 0 if there is
/// none.
Index level_of(std::span<const Level> levels, const Rectangle& part, Index longest) {
  Index chosen = 0;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const Rectangle there = detail::at_level(part, levels[i]);
    if (std::max(there.width, there.height) >= longest) chosen = static_cast<Index>(i);
  }
  return chosen;
}

}  // namespace

io::Picture thumbnail_of(const Slide& slide, const Rectangle& part, Index longest, const Watch& watch) {
  if (longest < 1 || longest > kLongestThumbnail)
    throw ArgumentError(
        message("thumbnail: the longer side is ", longest, ", wanted 1 to ", kLongestThumbnail, " pixels"));
  const Index number = level_of(slide.levels(), part, longest);
  const Rectangle from = detail::at_level(part, slide.levels()[static_cast<std::size_t>(number)]);
  if (from.width < 1 || from.height < 1)
    throw ArgumentError(message("thumbnail: ", slide.where(), " has no pixels in ", detail::place_of(0, part)));
  const double scale =
      std::min(1.0, static_cast<double>(longest) / static_cast<double>(std::max(from.width, from.height)));
  const auto side = [&](Index pixels) { return std::max<Index>(1, std::llround(static_cast<double>(pixels) * scale)); };
  io::Picture picture{
      .where = slide.where(), .format = "slide", .height = side(from.height), .width = side(from.width)};
  Means means(from, picture.width, picture.height);
  detail::for_blocks(slide, number, from, watch,
                     [&](const Rectangle& block, const std::uint8_t* rgb) { means.add(block, rgb); });
  picture.pixels = means.take();
  if (const io::PixelSize size = slide.pixel_size(); size.known())
    picture.pixel_size = {size.x * static_cast<double>(part.width) / static_cast<double>(picture.width),
                          size.y * static_cast<double>(part.height) / static_cast<double>(picture.height), size.source};
  return picture;
}

io::Picture thumbnail(const Slide& slide, Index longest, const Watch& watch) {
  return thumbnail_of(slide, {0, 0, slide.width(), slide.height()}, longest, watch);
}

}  // namespace nucdet::slide

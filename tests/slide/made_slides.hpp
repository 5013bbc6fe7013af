#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/slide/open.hpp"

/// Slides made of a rule, for tests.
namespace nucdet::slide {

using Rgb = std::array<double, 3>;
using Painter = std::function<Rgb(Index x, Index y)>;

inline std::uint8_t byte_of(double v) { return static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0, 255.0))); }

/// A picture by a rule for each pixel, with normal noise of `noise` steps.
inline io::Picture painted(Index width, Index height, double noise, const Painter& paint) {
  io::Picture picture{.where = "made.png", .format = "PNG", .height = height, .width = width};
  io::Picture::Bytes rgb(static_cast<std::size_t>(width * height * 3));
  RandomStream random{7};
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      const Rgb colour = paint(x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const double value = colour[c] + (noise > 0 ? noise * random.normal() : 0);
        rgb[static_cast<std::size_t>((y * width + x) * 3) + c] = byte_of(value);
      }
    }
  picture.pixels = std::move(rgb);
  return picture;
}

inline Slide slide_of(Index width, Index height, double noise, const Painter& paint) {
  return Slide(PicturePyramid(painted(width, height, noise, paint)));
}

/// A slide of several levels, each the means of squares of the one before; it knows what was read of it.
class MadePyramid {
 public:
  MadePyramid(io::Picture picture, Index levels, Rectangle bounds = {}) : bounds_(bounds) {
    const Index width = picture.width, height = picture.height;
    if (bounds_.width == 0) bounds_ = {0, 0, width, height};
    pictures_.push_back(std::move(picture));
    for (Index i = 1; i < levels; ++i) pictures_.push_back(halved(pictures_.back()));
    for (const io::Picture& p : pictures_)
      levels_.push_back({p.width, p.height, static_cast<double>(width) / static_cast<double>(p.width),
                         static_cast<double>(height) / static_cast<double>(p.height), 64, 64});
  }
  const std::string& where() const { return pictures_[0].where; }
  std::span<const Level> levels() const { return levels_; }
  io::PixelSize pixel_size() const { return pictures_[0].pixel_size; }
  Rectangle bounds() const { return bounds_; }
  void read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
    if (log_ != nullptr) log_->push_back({level, r});
    PicturePyramid(pictures_[static_cast<std::size_t>(level)]).read(0, r, rgb);
  }
  using Log = std::vector<std::pair<Index, Rectangle>>;
  MadePyramid& write_to(Log& log) {
    log_ = &log;
    return *this;
  }

 private:
  static io::Picture halved(const io::Picture& from) {
    const auto& bytes = std::get<io::Picture::Bytes>(from.pixels);
    io::Picture to{.where = from.where, .format = from.format, .height = from.height / 2, .width = from.width / 2};
    io::Picture::Bytes rgb(static_cast<std::size_t>(to.width * to.height * 3));
    for (Index y = 0; y < to.height; ++y)
      for (Index x = 0; x < to.width; ++x)
        for (Index c = 0; c < 3; ++c) {
          const auto at = [&](Index dy, Index dx) {
            return int{bytes[static_cast<std::size_t>(((2 * y + dy) * from.width + 2 * x + dx) * 3 + c)]};
          };
          rgb[static_cast<std::size_t>((y * to.width + x) * 3 + c)] =
              static_cast<std::uint8_t>((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) + 2) / 4);
        }
    to.pixels = std::move(rgb);
    return to;
  }

  std::vector<io::Picture> pictures_{};
  std::vector<Level> levels_{};
  Rectangle bounds_;
  Log* log_ = nullptr;
};

}  // namespace nucdet::slide

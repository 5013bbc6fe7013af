#pragma once
#include <filesystem>

#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide::detail {

/// Pixels of a scanner's slide without levels; what is smaller is a tile that was cut from one.
inline constexpr Index kSmallestSlide = 1'000'000;

/// A tiled TIFF or BigTIFF, read by libtiff, of which only the tiles that a rectangle touches are decoded: OME's
/// pyramids in SubIFDs, pages of falling size as Aperio's and others have them, and tiled pictures of one level. The
/// file is mapped: it must not be cut while it is read.
class TiffPyramid {
 public:
  /// Decoded tiles that a reader holds, in bytes, or one that is larger; beside them one tile, and the list of a
  /// level's tiles, a thread.
  static constexpr std::size_t kCacheBytes = std::size_t{32} << 20;

  /// Throws IoError for what is no tiled TIFF, or of a kind that is not read.
  explicit TiffPyramid(const std::filesystem::path& path);

  const std::string& where() const;
  std::span<const Level> levels() const;
  io::PixelSize pixel_size() const;
  Rectangle bounds() const;
  void read(Index level, const Rectangle& rectangle, std::uint8_t* rgb) const;
  std::vector<std::string> associated() const;
  io::Picture read_associated(const std::string& name) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Whether a file is read by TiffPyramid as a slide: a pyramid, or tiled and larger than a picture may be, of Aperio's
/// scanners at least kSmallestSlide. False for what cannot be read.
bool is_tiff_slide(const std::filesystem::path& path);

}  // namespace nucdet::slide::detail

#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide::detail {

/// Who wrote a slide, in OpenSlide's words ("aperio", "generic-tiff"); empty for what it does not read.
std::string openslide_vendor(const std::filesystem::path& path);

#ifdef NUCDET_WITH_OPENSLIDE

/// A slide read by OpenSlide. Pixels of level 0 and of levels whose downsample is a whole number are those of the file;
/// of others see ReadStarts. A rectangle shows the same pixels as the part of a larger one.
class OpenSlidePyramid {
 public:
  /// Throws IoError if OpenSlide cannot open it.
  explicit OpenSlidePyramid(const std::filesystem::path& path);

  const std::string& where() const;
  std::span<const Level> levels() const;
  io::PixelSize pixel_size() const;
  Rectangle bounds() const;
  /// An error ends the read that met it. OpenSlide's handle, which gives nothing but errors from then on, is replaced.
  void read(Index level, const Rectangle& rectangle, std::uint8_t* rgb) const;
  std::vector<std::string> associated() const;
  io::Picture read_associated(const std::string& name) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

#endif

}  // namespace nucdet::slide::detail

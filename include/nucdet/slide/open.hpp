#pragma once
#include <filesystem>
#include <string>

#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide {

/// Opens a whole slide: what scanners write (SVS, NDPI, MRXS, SCN, ...) by OpenSlide where nucdet was built with it,
/// tiled TIFF and BigTIFF pyramids (OME, generic; without OpenSlide also Aperio's) by libtiff. Throws IoError that says
/// what the file is and what would read it.
Slide open_slide(const std::filesystem::path& path);

/// Whether a file is read as a slide: a format of slide scanners, a pyramid, or a tiled picture of more pixels than a
/// picture may have; not what has one level and less than a million pixels, which is a tile cut from a slide. Also
/// whatever goes by the name of a scanner's format (a.mrxs, a.ndpi; not a.svs, which is told by content): open_slide
/// reads it or says why not. Else false for what is missing or cannot be read.
bool is_slide(const std::filesystem::path& path);

/// The version of the OpenSlide library that is used; empty where nucdet was built without it, or opens it when it is
/// wanted (NUCDET_OPENSLIDE=AUTO or LOAD) and there is none.
std::string openslide_version();

/// Of a build that opens it when it is wanted: opens this one in place of the system's. False where one is in use
/// already, as in any build that was linked with it. Throws IoError where the file is no such library. Thread-safe.
bool use_openslide(const std::filesystem::path& library);

/// A picture in memory as a slide of one level.
class PicturePyramid {
 public:
  explicit PicturePyramid(io::Picture picture);
  const std::string& where() const { return picture_.where; }
  std::span<const Level> levels() const { return {&level_, 1}; }
  io::PixelSize pixel_size() const { return picture_.pixel_size; }
  Rectangle bounds() const { return {0, 0, picture_.width, picture_.height}; }
  void read(Index level, const Rectangle& rectangle, std::uint8_t* rgb) const;

 private:
  io::Picture picture_;
  Level level_;
};

}  // namespace nucdet::slide

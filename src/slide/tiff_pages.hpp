#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/tiff/colour.hpp"
#include "io/tiff/pages.hpp"

/// Which pages of a TIFF file make a slide.
namespace nucdet::slide::detail {

/// One level: a page, or three that are its planes.
struct TiffLevel {
  io::detail::TiffPage page;
  std::vector<std::uint64_t> directories;
  io::detail::TiffEncoding encoding;
  Index tile_width = 0, tile_height = 0;
};

struct TiffSlide {
  std::vector<TiffLevel> levels;
  io::PixelSize pixel_size;
  std::map<std::string, Index> associated;  ///< the page of each, from 1
};

/// The levels are the largest picture and the tiled ones of its proportions and kind of samples that are each
/// noticeably smaller than the one before: its SubIFDs, where it has such, or else the pages. What else an Aperio file
/// holds is thumbnail, label and macro; in others those that their description calls so. Throws IoError for a file
/// without tiles, and for what is not read.
TiffSlide find_levels(const io::detail::EncodedImage& source);

/// Whether a file is a pyramid, or a tiled picture of more pixels than a picture may have, or of Aperio's scanners and
/// at least kSmallestSlide. Throws IoError for a damaged one, and for a tiled one of which find_levels throws.
bool is_pyramid(const io::detail::EncodedImage& source);

}  // namespace nucdet::slide::detail

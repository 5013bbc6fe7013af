#pragma once
#include <string>
#include <vector>

#include "description.hpp"
#include "file.hpp"

namespace nucdet::io::detail {

/// A picture of a TIFF file: a page, or one of a page's SubIFDs.
struct TiffPage {
  std::uint64_t directory = 0;  ///< its offset in the file
  Index number = 1;             ///< of the page, from 1
  bool within = false;          ///< a SubIFD of that page
  Index width = 0, height = 0, samples = 1;
  bool reduced = false;  ///< a thumbnail, a lower level or a mask, as its tags say

  double area() const { return static_cast<double>(width) * static_cast<double>(height); }
};

/// "19 x 13 pixels"
std::string size_of(const TiffPage& page);

/// All pictures of a file: pages first, in order. The file is left at another directory.
std::vector<TiffPage> list_pages(TiffFile& file);

struct TiffChoice {
  std::vector<TiffPage> planes{};  ///< one page, or three of one channel each: red, green, blue
  std::vector<TiffPage> pages{};   ///< all that the file has
  TiffPage full{};                 ///< the largest, of which the description speaks
  TiffDescription description{};
  std::vector<std::string> notes{};
};

/// What is read: the page that the options name, or else the largest that is not reduced. Throws IoError if that is
/// not one picture.
TiffChoice choose_pages(TiffFile& file);

/// um per pixel of `page`, at whose directory the file is, where the description speaks of `full`.
PixelSize pixel_size_of(const TiffFile& file, const TiffDescription& description, const TiffPage& page,
                        const TiffPage& full);

}  // namespace nucdet::io::detail

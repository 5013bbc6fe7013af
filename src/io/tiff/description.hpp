#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/io/picture.hpp"

namespace nucdet::io::detail {

/// What OME-XML, ImageJ's or Aperio's text in a TIFF file says of the file's picture.
struct TiffDescription {
  std::string source{};        ///< "OME-XML", "ImageJ text", "Aperio text"; empty: no such text
  Index channels = 0;          ///< 0: not said
  Index samples = 1;           ///< of a channel: 3 where its pages are RGB
  Index others = 1;            ///< planes in depth and time
  std::vector<Index> pages{};  ///< the page of each channel, from 0; empty: in order
  int significant_bits = 0;    ///< 0: not said
  PixelSize pixel_size{};
  double um_per_unit = 0;   ///< ImageJ's unit, by which the resolution counts; 0: not said
  bool unread_xml = false;  ///< OME-XML is there, and this build cannot read it
};

/// Of several pictures in OME-XML, the one of width x height pixels counts, or else the first.
TiffDescription read_description(const std::string& text, Index width, Index height);

}  // namespace nucdet::io::detail

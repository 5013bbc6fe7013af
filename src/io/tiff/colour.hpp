#pragma once
#include "../samples.hpp"
#include "description.hpp"
#include "rows.hpp"

namespace nucdet::io::detail {

/// How the samples of a page become colours.
struct TiffColour {
  enum class Way { direct, palette, cielab, by_libtiff };
  Way way = Way::direct;
  SampleLayout layout{};                ///< of the rows that reach the converter
  std::vector<std::uint8_t> palette{};  ///< red, green, blue of each index
};

/// Of the directory that the file is at; `joined`: it is the first of three planes, red, green and blue. Throws IoError
/// for colour spaces and channels that make no picture.
TiffColour colour_of(const TiffFile& file, const TiffSamples& samples, const TiffDescription& description, bool joined);

/// All that reading a page needs to know.
struct TiffEncoding {
  TiffSamples samples;
  TiffColour colour;
};
/// Of a page, or of three that are planes. Throws as samples_of and colour_of. The file is left at the first of them.
TiffEncoding encoding_of(TiffFile& file, const std::vector<std::uint64_t>& directories,
                         const TiffDescription& description);

/// Takes the rows of such a page as they are stored, and adds their colours to a converter of its layout. Both must
/// outlive it.
TiffRowSink converting_sink(const TiffEncoding& encoding, SampleConverter& converter);

}  // namespace nucdet::io::detail

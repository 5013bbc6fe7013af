#pragma once
#include <functional>
#include <vector>

#include "../sample_range.hpp"
#include "file.hpp"

namespace nucdet::io::detail {

/// How the samples of a page, or of several that are its planes, are stored.
struct TiffSamples {
  Index width = 0, height = 0;
  Index channels = 1;  ///< a pixel: samples of a page, or pages
  int bits = 8;        ///< of a sample
  int format = SAMPLEFORMAT_UINT;
  int compression = COMPRESSION_NONE;
  std::vector<std::uint64_t> directories{};  ///< one, or one a channel
  bool separate = false;                     ///< channels do not lie side by side in the page

  bool jpeg2000() const { return compression == 33003 || compression == 33005 || compression == 34712; }
};

/// Of the directory that the file is at. Throws IoError for more channels than a picture may have.
TiffSamples samples_of(const TiffFile& file);

/// The type that samples come in: up to 8 bits in bytes, up to 16 in words, half floats as floats. Throws IoError for
/// kinds of samples that are not read.
SampleType type_of(const TiffSamples& samples, std::string_view where);

/// Takes `count` pixels of row y from column x on, interleaved, which it may change. Of less than 8 or 16 bits they are
/// the numbers that the file holds.
using TiffRowSink = std::function<void(void* samples, Index y, Index x, Index count)>;

/// Reads strip by strip or tile by tile: no more than one tile, or one row, of each channel is in memory. Throws
/// IoError.
void read_tiff_rows(const EncodedImage& source, const TiffSamples& samples, const TiffRowSink& sink);

/// The same by libtiff's own conversion to 8-bit RGB, for YCbCr that no codec converts.
void read_tiff_as_rgb(const EncodedImage& source, const TiffSamples& samples, const TiffRowSink& sink);
/// Of the directory that the file is at, the tile or strip that begins at (y, x), of which height x width pixels lie
/// within the page.
void read_tiff_block_as_rgb(const TiffFile& file, Index y, Index x, Index height, Index width, const TiffRowSink& sink);

}  // namespace nucdet::io::detail

#pragma once
#include <functional>

#include "codecs.hpp"

namespace nucdet::io::detail {

/// What the header of a PNG file says.
struct PngHeader {
  Index width = 0, height = 0;
  int depth = 8;  ///< bits of a sample: 1, 2, 4, 8 or 16
  bool colour = false;
};

/// How samples are handed on: as light (palettes looked up, 1 to 4 bits stretched to 8, transparent colours as alpha),
/// or as the numbers that the file holds (palette indices; 1 to 4 bits in bytes).
enum class PngSamples { light, numbers };

/// Takes the interleaved samples of a row: bytes, or words in the machine's order where a sample has 16 bits.
using PngRowSink = std::function<void(const void* samples, Index y)>;

/// Reads the header, hands it with the number of channels and bits of a row's samples to `begin`, then each row to the
/// sink that `begin` returns. Throws IoError.
void read_png(const EncodedImage& source, PngSamples samples,
              const std::function<PngRowSink(const PngHeader& header, Index channels, int bits)>& begin);

}  // namespace nucdet::io::detail

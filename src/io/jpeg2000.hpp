#pragma once
#include <functional>

#include "codecs.hpp"
#include "samples.hpp"

namespace nucdet::io::detail {

/// What a JPEG 2000 file or code stream holds.
struct Jpeg2000Header {
  Index width = 0, height = 0;
  Index channels = 0;
  int bits = 8;      ///< of a sample; above 8 they come as words
  Index alpha = -1;  ///< its channel; -1: none
  bool premultiplied = false;
  bool ycc = false;  ///< the first three channels are luma and colour differences, not RGB
};

/// Takes the interleaved samples of a row, which it may change: bytes, or words where a sample has more than 8 bits.
using Jpeg2000RowSink = std::function<void(void* samples, Index y)>;

/// Hands the header to `check`, which looks at the sizes before anything is decoded, and then, decoded, to `begin`, and
/// each row to the sink that this returns. Throws IoError, also for what needs a library that this build lacks.
void read_jpeg2000(std::span<const std::byte> bytes, std::string_view where,
                   const std::function<void(const Jpeg2000Header&)>& check,
                   const std::function<Jpeg2000RowSink(const Jpeg2000Header&)>& begin);

/// Luma and colour differences of 8 bits, interleaved, to RGB in place (BT.601, full range).
void ycc_to_rgb(std::uint8_t* samples, Index count, Index channels);

bool is_jpeg2000(std::span<const std::byte> bytes);

}  // namespace nucdet::io::detail

#pragma once
#include <cstdint>
#include <string_view>

#include "nucdet/io/picture.hpp"

/// Pixels of a host program as pictures, by the rules that files are read by.
namespace nucdet::io {

enum class SampleType : std::uint8_t { u8, u16, i16, u32, i32, f32, f64 };

/// Interleaved samples in memory of which nobody says what stands for white.
struct Samples {
  const void* data = nullptr;
  SampleType type = SampleType::u8;
  Index height = 0, width = 0;
  Index channels = 3;    ///< 1: grey; 2: grey and alpha; 3: RGB; 4: RGB and alpha
  Index row_stride = 0;  ///< bytes from a row to the next one
};

/// Whether the samples are a picture as they lie, so that an ImageView of them shows what picture_of would make: grey
/// or RGB of 8 bits, or of 16 bits that are used in full.
bool is_picture(const Samples& samples);

/// What read_picture makes of a file with these samples: 8 bits stay 8 bits, all others become 16 by the range that
/// their values evidently have, and what is transparent shows white. `where` names the source in errors. Throws
/// ShapeError for other channels and for strides that no image has, IoError as read_picture does for values and sizes.
Picture picture_of(const Samples& samples, std::string_view where, const PictureOptions& options = {});

}  // namespace nucdet::io

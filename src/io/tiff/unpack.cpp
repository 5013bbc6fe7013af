#include "unpack.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

/// IEEE 754 binary16.
float half_value(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 31);
  const int fraction = static_cast<int>(half & 1023);
  float value = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  if (exponent == 31)
    value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  return (half & 0x8000) != 0 ? -value : value;
}

/// Samples of 1 to 15 bits, the most significant bit first.
template <class T>
void unpack_bits(const std::uint8_t* packed, Index count, int bits, std::uint8_t* to) {
  std::uint32_t waiting = 0;
  int held = 0;
  for (Index i = 0; i < count; ++i) {
    for (; held < bits; held += 8) waiting = waiting << 8 | *packed++;
    held -= bits;
    const T value = static_cast<T>(waiting >> held & ((1u << bits) - 1));
    std::memcpy(to + i * static_cast<Index>(sizeof(T)), &value, sizeof(T));
  }
}

}  // namespace

SampleType type_of(const TiffSamples& s, std::string_view where) {
  const bool number = s.format == SAMPLEFORMAT_UINT || s.format == SAMPLEFORMAT_VOID;
  if (number && s.bits >= 1 && s.bits <= 8) return SampleType::u8;
  if (number && s.bits <= 16 && s.bits >= 1) return SampleType::u16;
  if (number && s.bits == 32) return SampleType::u32;
  if (s.format == SAMPLEFORMAT_INT && s.bits == 16) return SampleType::i16;
  if (s.format == SAMPLEFORMAT_INT && s.bits == 32) return SampleType::i32;
  if (s.format == SAMPLEFORMAT_IEEEFP && (s.bits == 16 || s.bits == 32)) return SampleType::f32;
  if (s.format == SAMPLEFORMAT_IEEEFP && s.bits == 64) return SampleType::f64;
  const char* const kind = number                            ? "unsigned"
                           : s.format == SAMPLEFORMAT_INT    ? "signed"
                           : s.format == SAMPLEFORMAT_IEEEFP ? "floating-point"
                                                             : "complex";
  throw IoError(message(where, ": TIFF: ", kind, " samples of ", s.bits,
                        " bits, wanted up to 16 or 32 bits, signed of 16 or 32, or floats of 16, 32 or 64: save it ",
                        "with 8 or 16 bits"));
}

void unpack(const std::uint8_t* packed, Index count, const TiffSamples& s, SampleType type, std::uint8_t* to) {
  if (s.bits < 8) return unpack_bits<std::uint8_t>(packed, count, s.bits, to);
  if (s.bits > 8 && s.bits < 16) return unpack_bits<std::uint16_t>(packed, count, s.bits, to);
  if (type != SampleType::f32 || s.bits != 16) {
    std::memcpy(to, packed, static_cast<std::size_t>(count * size_of(type)));
    return;
  }
  for (Index i = 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, packed + 2 * i, 2);
    const float value = half_value(half);
    std::memcpy(to + 4 * i, &value, 4);
  }
}

void interleave(const std::uint8_t* channel, Index count, Index size, Index channels, std::uint8_t* to) {
  for (Index i = 0; i < count; ++i, channel += size, to += size * channels)
    for (Index b = 0; b < size; ++b) to[b] = channel[b];
}

}  // namespace nucdet::io::detail

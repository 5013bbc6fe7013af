#include "sample_range.hpp"

#include <cmath>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

constexpr std::string_view kWayOut =
    ": save it with 8 bits, or with 16 bits from 0 (black) to 65535 (white), or let the file declare its range "
    "(MaxSampleValue, OME SignificantBits)";
constexpr double kOvershoot = 0.05;  // of resampling, as data::kOvershoot

int bits_of(SampleType type) {
  switch (type) {
    case SampleType::u8:
      return 8;
    case SampleType::u16:
    case SampleType::i16:
      return 16;
    case SampleType::f64:
      return 64;
    default:
      return 32;
  }
}
bool is_float(SampleType type) { return type == SampleType::f32 || type == SampleType::f64; }
bool is_signed(SampleType type) { return type == SampleType::i16 || type == SampleType::i32; }

double largest_of(int bits) { return std::exp2(bits) - 1; }

std::string kind_of(SampleType type) {
  return message(bits_of(type), is_signed(type) ? " bits with sign" : is_float(type) ? " bits, floating point" : "");
}

SampleRange bits_within(int bits, SampleType type, std::string_view who) {
  const auto white = static_cast<std::int64_t>(largest_of(bits));
  return {0, largest_of(bits),
          message(bits, " bits in ", kind_of(type), who, ": values up to ", white, " stand for white")};
}

/// The fewest bits that a camera may have had, 0 where the values reach beyond `most_bits`.
int camera_bits(double most, int most_bits) {
  for (const int bits : {8, 10, 12, 14, 16})
    if (bits <= most_bits && most <= largest_of(bits)) return bits;
  return 0;
}

SampleRange evident_float(SampleType type, const ValuesSeen& seen, std::string_view where) {
  if (seen.most <= 1 + kOvershoot) return {};
  const int bits = camera_bits(seen.most, 16);
  if (bits == 0 || seen.most < largest_of(bits) / 2)
    throw IoError(message(where, ": floating-point values from ", seen.least, " to ", seen.most,
                          ": what stands for white cannot be told; wanted 0 to 1, or 0 to 255", kWayOut));
  return bits_within(bits, type, "");
}

}  // namespace

Index size_of(SampleType type) {
  switch (type) {
    case SampleType::u8:
      return 1;
    case SampleType::u16:
    case SampleType::i16:
      return 2;
    case SampleType::f64:
      return 8;
    default:
      return 4;
  }
}

SampleRange full_range(SampleType type) {
  if (is_float(type)) return {};
  return {0, largest_of(bits_of(type) - (is_signed(type) ? 1 : 0))};
}

SampleRange evident_range(SampleType type, const ValuesSeen& seen, int hinted_bits, std::string_view where) {
  if (!seen.finite) throw IoError(message(where, ": values that are no finite numbers", kWayOut));
  SampleRange range = full_range(type);
  if (is_float(type)) range = evident_float(type, seen, where);
  if (seen.least < (is_float(type) ? -kOvershoot * range.white : 0))
    throw IoError(message(where, ": ", kind_of(type), ", values from ", seen.least, " to ", seen.most,
                          ": negative values are no brightness", kWayOut));
  if (type == SampleType::u8 || is_float(type)) return range;
  if (hinted_bits >= 8 && hinted_bits < bits_of(type) && seen.most <= largest_of(hinted_bits))
    return bits_within(hinted_bits, type, ", as the file says");
  if (seen.most > 0 && seen.most < 128 && bits_of(type) == 32)
    throw IoError(message(where, ": ", kind_of(type), ", values up to ", seen.most,
                          ": what stands for white cannot be told", kWayOut));
  if (seen.most < 128) {  // no camera's white: the picture is black
    if (seen.most > 0) range.note = message("black: ", kind_of(type), ", no value above ", seen.most);
    return range;
  }
  const int bits = camera_bits(seen.most, bits_of(type) == 16 ? 14 : 16);
  if (bits != 0) return bits_within(bits, type, "");
  if (seen.most < range.white / 2 && bits_of(type) == 32)
    throw IoError(message(where, ": ", kind_of(type), ", values from ", seen.least, " to ", seen.most,
                          ": what stands for white cannot be told", kWayOut));
  if (type != SampleType::u16)
    range.note = message(kind_of(type), ": values up to ", static_cast<std::int64_t>(range.white), " stand for white");
  return range;
}

}  // namespace nucdet::io::detail

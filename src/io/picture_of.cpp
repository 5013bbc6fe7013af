#include <algorithm>

#include "nucdet/core/error.hpp"
#include "nucdet/io/samples.hpp"

#include "samples.hpp"

namespace nucdet::io {

namespace {

void check_samples(const Samples& s, std::string_view where) {
  if (s.data == nullptr || s.height < 1 || s.width < 1 || s.channels < 1 || s.channels > 4)
    throw ShapeError(message(where, ": ", s.height, " rows of ", s.width, " pixels of ", s.channels,
                             " samples, wanted 1 to 4 samples (grey, grey and alpha, RGB, RGB and alpha)"));
  if (s.row_stride < s.width * s.channels * detail::size_of(s.type))
    throw ShapeError(message(where, ": the row stride is ", s.row_stride, " bytes, a row has ",
                             s.width * s.channels * detail::size_of(s.type)));
}

const std::byte* row_of(const Samples& s, Index y) { return static_cast<const std::byte*>(s.data) + y * s.row_stride; }

}  // namespace

bool is_picture(const Samples& s) {
  check_samples(s, "is_picture");
  if (s.channels != 1 && s.channels != 3) return false;
  if (s.type != SampleType::u16) return s.type == SampleType::u8;
  std::uint16_t most = 0;
  for (Index y = 0; y < s.height; ++y) {
    const auto* const row = reinterpret_cast<const std::uint16_t*>(row_of(s, y));
    most = std::max(most, *std::max_element(row, row + s.width * s.channels));
  }
  const detail::SampleRange range = detail::evident_range(s.type, {0, static_cast<double>(most), true}, 0, "");
  return range.same_values(detail::full_range(s.type));
}

Picture picture_of(const Samples& s, std::string_view where, const PictureOptions& options) {
  check_samples(s, where);
  detail::SampleLayout layout{.type = s.type, .channels = s.channels, .colours = s.channels < 3 ? 1 : 3};
  if (s.channels == 2 || s.channels == 4) layout.alpha = s.channels - 1;
  layout.range = detail::full_range(s.type), layout.range_is_declared = s.type == SampleType::u8;
  detail::Canvas canvas({{}, where, options}, "array", s.width, s.height, detail::picture_bits(s.type), 1);
  detail::SampleConverter converter(canvas, layout);
  do {
    for (Index y = 0; y < s.height; ++y) converter.add_row(row_of(s, y), y, 0, s.width);
  } while (converter.again());
  return std::move(canvas).take();
}

}  // namespace nucdet::io

#ifdef NUCDET_WITH_WEBP
#include <webp/decode.h>
#endif

#include "nucdet/core/error.hpp"

#include "byte_reading.hpp"
#include "exif.hpp"
#include "samples.hpp"

namespace nucdet::io::detail {

#ifdef NUCDET_WITH_WEBP

namespace {

/// The data of the first chunk of a type in a RIFF file.
Bytes riff_chunk(Bytes riff, std::string_view type) {
  for (std::size_t at = 12; at + 8 <= riff.size();) {
    const std::size_t length = number_at(riff, at + 4, 4, true);
    if (length > riff.size() - at - 8) return {};
    if (begins_with(riff.subspan(at), type)) return riff.subspan(at + 8, length);
    at += 8 + length + length % 2;
  }
  return {};
}

[[noreturn]] void fail(const EncodedImage& source, std::string_view what) {
  throw IoError(message(source.where, ": WebP: ", what));
}

}  // namespace

Picture decode_webp(const EncodedImage& source) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(source.bytes.data());
  const std::size_t size = source.bytes.size();
  if (size < 12 || number_at(source.bytes, 4, 4, true) > size - 8) fail(source, "truncated: the file ends early");
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(data, size, &features) != VP8_STATUS_OK) fail(source, "damaged");
  if (features.has_animation != 0)
    fail(source, "an animation, a format that is not read; wanted a single picture: export it as PNG");
  Canvas canvas(source, "WebP", features.width, features.height, 8, exif_orientation(riff_chunk(source.bytes, "EXIF")));
  const Index width = canvas.width(), height = canvas.height();
  const Index channels = features.has_alpha != 0 ? 4 : 3, stride = width * channels;
  const bool in_place = channels == 3 && canvas.upright();
  std::vector<std::uint8_t> aside(in_place ? 0 : static_cast<std::size_t>(stride * height));
  std::uint8_t* const to = in_place ? canvas.bytes() : aside.data();
  const auto decode = channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(data, size, to, static_cast<std::size_t>(stride * height), static_cast<int>(stride)) == nullptr)
    fail(source, "damaged or truncated");
  if (in_place) return std::move(canvas).take();
  SampleConverter converter(canvas, {.channels = channels, .alpha = channels == 4 ? 3 : -1});
  do
    for (Index y = 0; y < height; ++y) converter.add_row(aside.data() + y * stride, y, 0, width);
  while (converter.again());
  return std::move(canvas).take();
}

#else

Picture decode_webp(const EncodedImage& source) {
  throw IoError(message(source.where,
                        ": is a WebP picture, a format that this build does not read: it was built without "
                        "libwebp; export it as PNG"));
}

#endif

}  // namespace nucdet::io::detail

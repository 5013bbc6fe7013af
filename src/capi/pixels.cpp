#include "pixels.hpp"

#include <cstdint>
#include <cstring>
#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/data/resample.hpp"

namespace nucdet::capi {

namespace {

/// A caller's image with every stride said.
struct Layout {
  const unsigned char* pixels;
  Index height, width, channels, row, pixel, channel;  ///< the last three: bytes

  const unsigned char* at(Index y, Index x, Index c) const { return pixels + y * row + x * pixel + c * channel; }
};

/// Whether a step can be taken so often without leaving the range of addresses' differences.
bool reaches(Index count, Index stride) {
  constexpr Index most = std::numeric_limits<Index>::max() / 8;
  return stride > -most && stride < most && (stride == 0 || count <= most / (stride < 0 ? -stride : stride));
}

Index bytes_of(std::int32_t type) {
  switch (type) {
    case NUCDET_UINT8:
      return 1;
    case NUCDET_UINT16:
      return 2;
    case NUCDET_FLOAT32:
      return 4;
    default:
      throw ArgumentError(message("nucdet_image: type is ", type, ", wanted one of NUCDET_UINT8, _UINT16, _FLOAT32"));
  }
}

Layout layout_of(const nucdet_image& image) {
  if (image.pixels == nullptr) throw ArgumentError("nucdet_image: pixels is null");
  if (image.height < 1 || image.width < 1 || image.height > data::kMostInParts / image.width)
    throw ShapeError(message("nucdet_image: ", image.height, " rows of ", image.width,
                             " pixels, wanted at least 1 of both and at most ", data::kMostInParts, " in all"));
  if (image.channels != 1 && image.channels != 3 && image.channels != 4)
    throw ShapeError(message("nucdet_image: ", image.channels, " channels, wanted 1, 3 or 4"));
  if (image.order != NUCDET_RGB && image.order != NUCDET_BGR)
    throw ArgumentError(message("nucdet_image: order is ", image.order, ", wanted NUCDET_RGB or NUCDET_BGR"));
  if (image.reserved != 0) throw ArgumentError(message("nucdet_image: reserved is ", image.reserved, ", wanted 0"));
  const Index bytes = bytes_of(image.type), channels = image.channels;
  const Index channel = image.channel_stride != 0 ? image.channel_stride : bytes;
  const Index pixel = image.pixel_stride != 0 ? image.pixel_stride : channels * bytes;
  const bool small = reaches(image.width, pixel);
  const Index row = image.row_stride != 0 || !small ? image.row_stride : image.width * pixel;
  if (!small || !reaches(image.height, row) || !reaches(channels, channel))
    throw ShapeError(message("nucdet_image: strides of ", row, ", ", pixel, " and ", channel,
                             " bytes a row, pixel and channel reach beyond all memory"));
  return {static_cast<const unsigned char*>(image.pixels), image.height, image.width, channels, row, pixel, channel};
}

/// A copy without gaps, value by value, since they may lie anywhere.
template <class T>
void pack(const Layout& from, T* to) {
  for (Index y = 0; y < from.height; ++y)
    for (Index x = 0; x < from.width; ++x)
      for (Index c = 0; c < from.channels; ++c) std::memcpy(to++, from.at(y, x, c), sizeof(T));
}

/// What a detector does with pixels of integers: grey is repeated, alpha left out, red comes first.
Image floats_of(const Layout& from, bool blue_first, Index channels) {
  if (from.channels != channels && from.channels != 1 && !(from.channels == 4 && channels == 3))
    throw ShapeError(message("nucdet_image: ", from.channels, " channels, the network takes ", channels));
  Image image = make_image(from.height, from.width, channels);
  float* to = image.data();
  for (Index y = 0; y < from.height; ++y)
    for (Index x = 0; x < from.width; ++x)
      for (Index c = 0; c < channels; ++c)
        std::memcpy(to++, from.at(y, x, from.channels == 1 ? 0 : blue_first && c < 3 ? 2 - c : c), sizeof(float));
  return image;
}

/// Whether a view serves: interleaved values, rows in order, nothing between pixels, at addresses of the type's.
bool lies_as_views_do(const Layout& l, Index bytes) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(l.pixels) % static_cast<std::uintptr_t>(bytes) == 0;
  return aligned && l.row % bytes == 0 && (l.channel == bytes || l.channels == 1) && l.pixel == l.channels * bytes &&
         l.row >= l.width * l.pixel;
}

}  // namespace

Pixels::Pixels(const nucdet_image& image, Index channels) {
  const Layout layout = layout_of(image);
  if (image.type == NUCDET_FLOAT32) {
    pixels_ = floats_of(layout, image.order == NUCDET_BGR && layout.channels >= 3, channels);
    return;
  }
  const Index bytes = bytes_of(image.type);
  data::ImageView view;
  view.data = layout.pixels, view.row_stride = layout.row;
  view.height = layout.height, view.width = layout.width, view.channels = layout.channels, view.bytes = bytes;
  view.order = image.order == NUCDET_BGR ? data::ChannelOrder::bgr : data::ChannelOrder::rgb;
  if (!lies_as_views_do(layout, bytes)) {
    view.row_stride = layout.width * layout.channels * bytes;
    packed_.resize(static_cast<std::size_t>(layout.height * view.row_stride));
    view.data = packed_.data();
    if (bytes == 1)
      pack(layout, reinterpret_cast<std::uint8_t*>(packed_.data()));
    else
      pack(layout, reinterpret_cast<std::uint16_t*>(packed_.data()));
  }
  pixels_ = view;
}

}  // namespace nucdet::capi

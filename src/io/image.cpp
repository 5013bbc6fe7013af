#include "nucdet/io/image.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/picture.hpp"

#include "codecs.hpp"
#include "marks.hpp"

namespace nucdet::io {

namespace {

constexpr std::uint64_t kFileLimit = std::uint64_t{1} << 31;

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

std::uint8_t byte_of(float value) {
  if (!(value > 0.0f)) return 0;
  return static_cast<std::uint8_t>(std::lround(255.0f * (value < 1.0f ? value : 1.0f)));
}

}  // namespace

Image detail::allocate_rgb(const EncodedImage& source, Index width, Index height) {
  if (width < 1 || height < 1) throw IoError(message(source.where, ": ", width, " x ", height, " pixels"));
  if (width > source.max_pixels / height)
    throw IoError(
        message(source.where, ": ", width, " x ", height, " pixels, at most ", source.max_pixels, " are read"));
  return Image::from_shape({static_cast<std::size_t>(height), static_cast<std::size_t>(width), 3});
}

Image decode_image(std::span<const std::byte> bytes, std::string_view where, ImageLimits limits) {
  using std::string_view_literals::operator""sv;
  const detail::EncodedImage source{bytes, where, limits.pixels};
  if (bytes.empty()) throw IoError(message(where, ": is empty, wanted a PNG, JPEG or TIFF image"));
  if (begins_with(bytes, "\x89PNG\r\n\x1a\n"sv)) return detail::decode_png(source);
  if (begins_with(bytes, "\xff\xd8\xff"sv)) return detail::decode_jpeg(source);
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (begins_with(bytes, magic)) return detail::decode_tiff(source);
  throw IoError(message(where, ": is no PNG, JPEG or TIFF image"));
}

Image read_image(const std::filesystem::path& path, ImageLimits limits) {
  const std::string bytes = detail::InputFile(path).read_all(kFileLimit);
  return decode_image(std::as_bytes(std::span(bytes)), path.string(), limits);
}

Picture decode_picture(std::span<const std::byte> bytes, std::string_view where, const PictureOptions& options) {
  const Image image = decode_image(bytes, where, {options.pixels});
  Picture picture{.where = std::string(where),
                  .height = static_cast<Index>(image.shape(0)),
                  .width = static_cast<Index>(image.shape(1))};
  Picture::Bytes pixels(image.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = byte_of(image.data()[i]);
  picture.pixels = std::move(pixels);
  return picture;
}

Picture read_picture(const std::filesystem::path& path, const PictureOptions& options) {
  const std::string bytes = detail::InputFile(path).read_all(kFileLimit);
  return decode_picture(std::as_bytes(std::span(bytes)), path.string(), options);
}

namespace {

std::string encoded(const Image& image, const char* software) {
  const auto height = image.shape(0), width = image.shape(1), channels = image.shape(2);
  if (height < 1 || width < 1 || (channels != 1 && channels != 3))
    throw ShapeError(message("write_png: image of ", height, " x ", width, " x ", channels,
                             ", wanted 1 or 3 channels and at least one pixel"));
  std::vector<std::uint8_t> pixels(image.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = byte_of(image.data()[i]);
  return detail::encode_png(pixels, static_cast<Index>(width), static_cast<Index>(height), static_cast<int>(channels),
                            software);
}

}  // namespace

void write_png(const std::filesystem::path& path, const Image& image) {
  write_atomically(path, encoded(image, nullptr));
}

void write_drawing(const std::filesystem::path& path, const Image& image) {
  write_atomically(path, encoded(image, kMadeBy.data()));
}

void write_png(const std::filesystem::path& path, const Plane& map, float low, float high) {
  if (!(low < high)) throw ArgumentError(message("write_png: low ", low, " and high ", high, ", wanted low < high"));
  if (map.size() == 0) throw ShapeError("write_png: the map is empty");
  std::vector<std::uint8_t> pixels(map.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = byte_of((map.data()[i] - low) / (high - low));
  write_atomically(path,
                   detail::encode_png(pixels, static_cast<Index>(map.shape(1)), static_cast<Index>(map.shape(0)), 1));
}

}  // namespace nucdet::io

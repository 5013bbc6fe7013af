#include "nucdet/io/image.hpp"

#include <cmath>
#include <string>

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/provenance.hpp"

#include "byte_reading.hpp"
#include "codecs.hpp"
#include "foreign_formats.hpp"
#include "jpeg2000.hpp"
#include "mapped_file.hpp"

namespace nucdet::io {

namespace {

std::uint8_t byte_of(float value) {
  if (!(value > 0.0f)) return 0;
  return static_cast<std::uint8_t>(std::lround(255.0f * (value < 1.0f ? value : 1.0f)));
}

}  // namespace

Picture decode_picture(std::span<const std::byte> bytes, std::string_view where, const PictureOptions& options) {
  using std::string_view_literals::operator""sv;
  const detail::EncodedImage source{bytes, where, options};
  if (options.page && *options.page < 1)
    throw ArgumentError(message("read_picture: page ", *options.page, ", pages count from 1"));
  if (options.page && *options.page > 1 && !detail::is_tiff(bytes))
    throw IoError(message(where, ": page ", *options.page, " was asked for, and only TIFF has more than one"));
  if (detail::is_png(bytes)) return detail::decode_png(source);
  if (detail::begins_with(bytes, "\xff\xd8\xff"sv)) return detail::decode_jpeg(source);
  if (detail::is_tiff(bytes)) return detail::decode_tiff(source);
  if (detail::is_jpeg2000(bytes)) return detail::decode_jpeg2000(source);
  if (detail::begins_with(bytes, "RIFF"sv) && bytes.size() >= 12 && detail::begins_with(bytes.subspan(8), "WEBP"sv))
    return detail::decode_webp(source);
  detail::refuse_format(bytes, where);
}

Picture read_picture(const std::filesystem::path& path, const PictureOptions& options) {
  const detail::MappedFile file(path);
  // What bytes of a picture show under such a name is a label, a small view or one page of many.
  const detail::ScannerFormat* const scanner = detail::scanner_format(path.filename().string());
  if (scanner != nullptr && scanner->by_name && !options.page)
    throw IoError(
        message(path.string(), ": is ", scanner->name,
                " by its name: slides are for nucdet detect, evaluate and slide; export a region of it as TIFF "
                "or PNG (QuPath: File, Export images); if it is a picture, call it .tif"));
  return decode_picture(file.bytes(), path.string(), options);
}

Image to_image(const Picture& picture) {
  Image image = make_image(picture.height, picture.width, Picture::kChannels);
  const auto fill = [&](const auto& pixels, float white) {
    for (std::size_t i = 0; i < pixels.size(); ++i) image.data()[i] = static_cast<float>(pixels[i]) / white;
  };
  if (const auto* bytes = std::get_if<Picture::Bytes>(&picture.pixels))
    fill(*bytes, 255.0f);
  else
    fill(std::get<Picture::Words>(picture.pixels), 65535.0f);
  return image;
}

Image decode_image(std::span<const std::byte> bytes, std::string_view where, const PictureOptions& options) {
  return to_image(decode_picture(bytes, where, options));
}

Image read_image(const std::filesystem::path& path, const PictureOptions& options) {
  return to_image(read_picture(path, options));
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

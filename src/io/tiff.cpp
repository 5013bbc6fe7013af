#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include <tiffio.h>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

/// libtiff 4.5 or newer: its error handlers belong to the open file, so that nothing global is changed or printed.
namespace nucdet::io::detail {

namespace {

struct TiffReader {
  const EncodedImage& source;
  toff_t at = 0;
  char error[256] = "";
  TIFF* tiff = nullptr;

  explicit TiffReader(const EncodedImage& encoded) : source(encoded) {}
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;
  ~TiffReader() {
    if (tiff != nullptr) TIFFClose(tiff);
  }
  [[noreturn]] void fail(const char* otherwise) const {
    throw IoError(message(source.where, ": TIFF: ", error[0] != '\0' ? error : otherwise));
  }
  std::uint32_t field(std::uint32_t tag, std::uint32_t otherwise) const {
    std::uint32_t value = 0;
    return TIFFGetField(tiff, tag, &value) == 1 ? value : otherwise;
  }
  std::uint16_t field16(std::uint32_t tag, std::uint16_t otherwise = 0) const {
    std::uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : otherwise;
  }
};

tmsize_t on_read(thandle_t handle, void* to, tmsize_t count) {
  TiffReader& r = *static_cast<TiffReader*>(handle);
  if (count <= 0 || r.at >= r.source.bytes.size()) return 0;
  const std::size_t part = std::min(static_cast<std::size_t>(count), r.source.bytes.size() - r.at);
  std::memcpy(to, r.source.bytes.data() + r.at, part);
  r.at += part;
  return static_cast<tmsize_t>(part);
}
tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }
toff_t on_seek(thandle_t handle, toff_t offset, int origin) {
  TiffReader& r = *static_cast<TiffReader*>(handle);
  const toff_t base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? r.at : r.source.bytes.size();
  return r.at = base + offset;
}
int on_close(thandle_t) { return 0; }
/// The bytes are in memory already. (Unmapped, libtiff 4.5 refuses bare tiles whose size is no multiple of 1024.)
int on_map(thandle_t handle, void** base, toff_t* size) {
  const EncodedImage& source = static_cast<TiffReader*>(handle)->source;
  *base = const_cast<std::byte*>(source.bytes.data());  // opened to be read
  *size = source.bytes.size();
  return 1;
}
void on_unmap(thandle_t, void*, toff_t) {}
toff_t on_size(thandle_t handle) { return static_cast<TiffReader*>(handle)->source.bytes.size(); }

/// Keeps the first error, which is the cause of the others.
int on_error(TIFF*, void* reader, const char*, const char* format, va_list arguments) {
  TiffReader& r = *static_cast<TiffReader*>(reader);
  if (r.error[0] == '\0') std::vsnprintf(r.error, sizeof r.error, format, arguments);
  return 1;
}
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

void open(TiffReader& r) {
  const auto free_options = [](TIFFOpenOptions* options) { TIFFOpenOptionsFree(options); };
  const std::unique_ptr<TIFFOpenOptions, decltype(free_options)> options(TIFFOpenOptionsAlloc(), free_options);
  if (!options) r.fail("out of memory");
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &r);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(8 * r.source.max_pixels + (1 << 20)));
  r.tiff =
      TIFFClientOpenExt("", "r", &r, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, options.get());
  if (r.tiff == nullptr) r.fail("cannot be opened");
}

/// Without the tag, grey is black at 0: libtiff has it so for 8 bits.
std::uint16_t photometric_of(const TiffReader& r) { return r.field16(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK); }

/// 16-bit grey or RGB without alpha: libtiff's own conversion would cut it to 8 bits.
bool is_plain_16_bit(const TiffReader& r) {
  const int photometric = photometric_of(r), samples = r.field16(TIFFTAG_SAMPLESPERPIXEL);
  const bool grey = samples == 1 && (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE);
  const bool rgb = samples == 3 && photometric == PHOTOMETRIC_RGB;
  return (grey || rgb) && r.field16(TIFFTAG_BITSPERSAMPLE) == 16 &&
         r.field16(TIFFTAG_SAMPLEFORMAT) == SAMPLEFORMAT_UINT &&
         r.field16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG &&
         r.field16(TIFFTAG_ORIENTATION) == ORIENTATION_TOPLEFT;
}

/// Rows and columns of a strip or tile whose top left pixel is (y0, x0).
struct Block {
  const std::vector<std::uint16_t>& samples;
  Index y0, x0, height, width;
};

void copy_block(const Block& block, Index channels, bool inverted, Image& image) {
  const Index height = static_cast<Index>(image.shape(0)), width = static_cast<Index>(image.shape(1));
  for (Index y = 0; y < std::min(block.height, height - block.y0); ++y)
    for (Index x = 0; x < std::min(block.width, width - block.x0); ++x) {
      const std::uint16_t* from = block.samples.data() + (y * block.width + x) * channels;
      float* to = image.data() + ((block.y0 + y) * width + block.x0 + x) * 3;
      for (Index c = 0; c < 3; ++c) {
        const float value = static_cast<float>(from[channels == 3 ? c : 0]) / 65535.0f;
        to[c] = inverted ? 1.0f - value : value;
      }
    }
}

void read_16_bit(TiffReader& r, Image& image) {
  const bool tiled = TIFFIsTiled(r.tiff) != 0, inverted = photometric_of(r) == PHOTOMETRIC_MINISWHITE;
  const Index height = static_cast<Index>(image.shape(0)), width = static_cast<Index>(image.shape(1));
  const Index channels = r.field16(TIFFTAG_SAMPLESPERPIXEL);
  const Index rows =
      tiled ? r.field(TIFFTAG_TILELENGTH, 0) : std::min<Index>(r.field(TIFFTAG_ROWSPERSTRIP, ~0u), height);
  const Index columns = tiled ? r.field(TIFFTAG_TILEWIDTH, 0) : width;
  if (rows < 1 || columns < 1 || rows > r.source.max_pixels / columns) r.fail("strips or tiles of no usable size");
  std::vector<std::uint16_t> samples(static_cast<std::size_t>(rows * columns * channels));
  for (Index y = 0; y < height; y += rows)
    for (Index x = 0; x < width; x += columns) {
      const auto row = static_cast<std::uint32_t>(y), column = static_cast<std::uint32_t>(x);
      const Index inside = tiled ? rows : std::min(rows, height - y);
      const auto wanted = static_cast<tmsize_t>(inside * columns * channels * 2);
      const tmsize_t found =
          tiled ? TIFFReadEncodedTile(r.tiff, TIFFComputeTile(r.tiff, column, row, 0, 0), samples.data(), wanted)
                : TIFFReadEncodedStrip(r.tiff, TIFFComputeStrip(r.tiff, row, 0), samples.data(), wanted);
      if (found < wanted) r.fail("ends early");
      copy_block({samples, y, x, rows, columns}, channels, inverted, image);
    }
}

void read_8_bit(TiffReader& r, Image& image) {
  const auto height = static_cast<std::uint32_t>(image.shape(0)), width = static_cast<std::uint32_t>(image.shape(1));
  char reason[1024] = "";
  if (TIFFRGBAImageOK(r.tiff, reason) == 0) r.fail(reason);
  std::vector<std::uint32_t> raster(std::size_t{height} * width);
  if (TIFFReadRGBAImageOriented(r.tiff, width, height, raster.data(), ORIENTATION_TOPLEFT, 1) == 0) r.fail("damaged");
  float* to = image.data();
  for (const std::uint32_t pixel : raster) {
    const std::uint32_t glass = 255u - TIFFGetA(pixel);  // colours come multiplied by alpha
    *to++ = static_cast<float>(std::min(255u, TIFFGetR(pixel) + glass)) / 255.0f;
    *to++ = static_cast<float>(std::min(255u, TIFFGetG(pixel) + glass)) / 255.0f;
    *to++ = static_cast<float>(std::min(255u, TIFFGetB(pixel) + glass)) / 255.0f;
  }
}

}  // namespace

Image decode_tiff(const EncodedImage& source) {
  TiffReader reader(source);
  open(reader);
  Image image = allocate_rgb(source, reader.field(TIFFTAG_IMAGEWIDTH, 0), reader.field(TIFFTAG_IMAGELENGTH, 0));
  if (is_plain_16_bit(reader))
    read_16_bit(reader, image);
  else
    read_8_bit(reader, image);
  return image;
}

}  // namespace nucdet::io::detail

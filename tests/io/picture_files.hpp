#pragma once
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tiffio.h>

#include "nucdet/core/error.hpp"
#include "nucdet/io/picture.hpp"

#include "io/temporary_folder.hpp"

/// Pictures for tests: written by libtiff, compared value by value.
namespace pictures {

using nucdet::Index;

/// The stored pictures.
inline const std::filesystem::path kImages = std::filesystem::path(NUCDET_TEST_DIR) / "golden/images";
using nucdet::io::Picture;
using nucdet::io::PictureOptions;

inline Picture decode(std::string_view bytes, const PictureOptions& options = {}) {
  return nucdet::io::decode_picture(std::as_bytes(std::span(bytes)), "picture", options);
}
inline std::string refusal(std::string_view bytes, const PictureOptions& options = {}) {
  return error_of<nucdet::IoError>([&] { decode(bytes, options); });
}
inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
inline std::string notes_of(const Picture& picture) {
  std::string all;
  for (const std::string& note : picture.notes) all += note + "\n";
  return all;
}

/// A value of a picture, of 255 or 65535.
inline int value_at(const Picture& picture, Index x, Index y, Index c) {
  const auto i = static_cast<std::size_t>((y * picture.width + x) * 3 + c);
  if (const auto* bytes = std::get_if<Picture::Bytes>(&picture.pixels)) return (*bytes)[i];
  return std::get<Picture::Words>(picture.pixels)[i];
}

/// A sample of channel c of the pixel at (x, y), as a file holds it.
using Samples = std::function<double(Index x, Index y, Index c)>;
/// From 0 to 1, with no symmetry, and 0 and 1 among the values.
inline double shade(Index x, Index y, Index c) { return static_cast<double>((13 * x + 29 * y + 71 * c) % 256) / 255; }
inline Samples shades(double white) {
  return [white](Index x, Index y, Index c) { return std::round(white * shade(x, y, c)); };
}

/// The largest difference from expected(x, y, c) in [0, 1].
inline double difference(const Picture& picture, const Samples& expected) {
  const double white = picture.bits() == 8 ? 255 : 65535;
  double most = 0;
  for (Index y = 0; y < picture.height; ++y)
    for (Index x = 0; x < picture.width; ++x)
      for (Index c = 0; c < 3; ++c)
        most = std::max(most, std::abs(value_at(picture, x, y, c) / white - expected(x, y, c)));
  return most;
}

struct Page {
  Index width = 19, height = 13, channels = 3;
  int bits = 8, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_RGB;
  bool separate = false;
  int tile = 0;                                      ///< 0: strips of 5 rows
  std::function<bool(Index x, Index y)> left_out{};  ///< of tiles, by their first pixel: not written
  int compression = COMPRESSION_NONE;
  std::vector<std::uint16_t> extras{};
  std::function<void(TIFF*)> more_tags{};
  Samples samples = shades(255);
};

inline void put_sample(std::vector<std::uint8_t>& row, std::size_t i, double value, const Page& page) {
  const auto store = [&](auto number) { std::memcpy(row.data() + i * sizeof number, &number, sizeof number); };
  if (page.bits < 8 || page.bits == 12) {
    for (int b = 0; b < page.bits; ++b) {
      const std::size_t bit = i * static_cast<std::size_t>(page.bits) + static_cast<std::size_t>(b);
      if ((static_cast<unsigned>(value) >> (page.bits - 1 - b) & 1) != 0)
        row[bit / 8] = static_cast<std::uint8_t>(row[bit / 8] | 128 >> bit % 8);
    }
  } else if (page.format == SAMPLEFORMAT_IEEEFP) {
    page.bits == 32 ? store(static_cast<float>(value)) : store(value);
  } else if (page.bits == 32) {
    store(static_cast<std::uint32_t>(static_cast<std::int64_t>(value)));
  } else if (page.bits == 16) {
    store(static_cast<std::uint16_t>(static_cast<std::int64_t>(value)));
  } else {
    store(static_cast<std::uint8_t>(static_cast<std::int64_t>(value)));
  }
}

inline void set_tags(TIFF* tiff, const Page& page) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(page.width));
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(page.height));
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(page.channels));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, page.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, page.format);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, page.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, page.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, page.compression);
  if (page.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, page.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, page.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 5);
  }
  if (!page.extras.empty())
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, static_cast<int>(page.extras.size()), page.extras.data());
  if (page.more_tags) page.more_tags(tiff);
}

inline void write_tiles(TIFF* tiff, const Page& page) {
  std::vector<std::uint8_t> tile(static_cast<std::size_t>(TIFFTileSize(tiff)));
  const Index lanes = page.separate ? page.channels : 1, channels = page.separate ? 1 : page.channels;
  for (Index lane = 0; lane < lanes; ++lane)
    for (Index top = 0; top < page.height; top += page.tile)
      for (Index left = 0; left < page.width; left += page.tile) {
        if (page.left_out && page.left_out(left, top)) continue;
        std::fill(tile.begin(), tile.end(), std::uint8_t{0});
        for (Index y = 0; y < page.tile; ++y)
          for (Index x = 0; x < page.tile; ++x)  // beyond the border as at it, so that JPEG sees no edge
            for (Index c = 0; c < channels; ++c)
              put_sample(tile, static_cast<std::size_t>((y * page.tile + x) * channels + c),
                         page.samples(std::min(left + x, page.width - 1), std::min(top + y, page.height - 1), lane + c),
                         page);
        TIFFWriteEncodedTile(tiff,
                             TIFFComputeTile(tiff, static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(top), 0,
                                             static_cast<std::uint16_t>(lane)),
                             tile.data(), static_cast<tmsize_t>(tile.size()));
      }
}

inline void write_strips(TIFF* tiff, const Page& page) {
  std::vector<std::uint8_t> row(static_cast<std::size_t>(TIFFScanlineSize(tiff)));
  const Index lanes = page.separate ? page.channels : 1, channels = page.separate ? 1 : page.channels;
  for (Index lane = 0; lane < lanes; ++lane)
    for (Index y = 0; y < page.height; ++y) {
      std::fill(row.begin(), row.end(), std::uint8_t{0});
      for (Index x = 0; x < page.width; ++x)
        for (Index c = 0; c < channels; ++c)
          put_sample(row, static_cast<std::size_t>(x * channels + c), page.samples(x, y, lane + c), page);
      TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y), static_cast<std::uint16_t>(lane));
    }
}

/// The bytes of a TIFF file of these pages. mode: "w", "wb" (big endian), "w8" (BigTIFF).
inline std::string tiff_of(const std::vector<Page>& pages, const char* mode = "w") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  TIFF* const tiff = TIFFOpen(path.c_str(), mode);
  for (const Page& page : pages) {
    set_tags(tiff, page);
    if (page.tile > 0)
      write_tiles(tiff, page);
    else
      write_strips(tiff, page);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
  return contents_of(path);
}
inline std::string tiff_of(const Page& page, const char* mode = "w") { return tiff_of(std::vector{page}, mode); }

}  // namespace pictures

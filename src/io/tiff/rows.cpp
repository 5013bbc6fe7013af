#include "rows.hpp"

#include <algorithm>

#include "nucdet/core/error.hpp"

#include "tiles.hpp"

namespace nucdet::io::detail {

namespace {

constexpr Index kMostChannels = 8;  // of a picture with more nothing is read

void read_strips(TiffLanes& lanes, const TiffSamples& s, const TiffRowSink& sink) {
  for (TiffLanes::Lane& lane : lanes.all()) {
    const tmsize_t bytes = TIFFScanlineSize(lane.file->get());
    lanes.check_row_bytes(bytes, s.width);
    lane.raw.resize(static_cast<std::size_t>(bytes));
  }
  for (Index y = 0; y < s.height; ++y) {
    for (TiffLanes::Lane& lane : lanes.all())
      if (TIFFReadScanline(lane.file->get(), lane.raw.data(), static_cast<std::uint32_t>(y), lane.sample) != 1 ||
          lane.file->lost_pixels())
        lane.file->fail("truncated or damaged");
    lanes.hand_on(0, y, 0, s.width, sink);
  }
}

void read_jpeg2000_strips(const TiffFile& file, const TiffSamples& s, const TiffRowSink& sink) {
  if (s.separate || s.directories.size() > 1) file.fail("JPEG 2000 in separate planes is not read");
  const Index strip = std::max<Index>(1, std::min<Index>(file.field(TIFFTAG_ROWSPERSTRIP, ~0u), s.height));
  for (Index y = 0; y < s.height; y += strip) {
    const std::uint32_t number = TIFFComputeStrip(file.get(), static_cast<std::uint32_t>(y), 0);
    read_jpeg2000_block(file, s, {number, y, 0, std::min(strip, s.height - y), s.width}, sink);
  }
}

void read_tiles(const EncodedImage& source, const TiffSamples& s, const TiffRowSink& sink) {
  TiffTileReader tiles(source, s);
  for (Index y = 0; y < s.height; y += tiles.height())
    for (Index x = 0; x < s.width; x += tiles.width()) tiles.read(y, x, sink);
}

}  // namespace

TiffSamples samples_of(const TiffFile& file) {
  TiffSamples s{.width = file.field(TIFFTAG_IMAGEWIDTH, 0),
                .height = file.field(TIFFTAG_IMAGELENGTH, 0),
                .channels = file.field16(TIFFTAG_SAMPLESPERPIXEL, 1),
                .bits = file.field16(TIFFTAG_BITSPERSAMPLE, 1),
                .format = file.field16(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT),
                .compression = file.field16(TIFFTAG_COMPRESSION, COMPRESSION_NONE),
                .directories = {TIFFCurrentDirOffset(file.get())}};
  s.separate = s.channels > 1 && file.field16(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  check_size(file.source(), s.width, s.height);
  if (s.channels < 1 || s.channels > kMostChannels)
    throw IoError(message(file.source().where, ": TIFF: ", s.channels,
                          " channels, wanted grey or RGB, with or without alpha: export it as an RGB picture"));
  return s;
}

void read_tiff_rows(const EncodedImage& source, const TiffSamples& samples, const TiffRowSink& sink) {
  TiffFile file(source);
  file.select(samples.directories[0]);
  if (TIFFIsTiled(file.get()) != 0) return read_tiles(source, samples, sink);
  if (samples.jpeg2000()) return read_jpeg2000_strips(file, samples, sink);
  TiffLanes lanes(source, samples);
  read_strips(lanes, samples, sink);
}

}  // namespace nucdet::io::detail

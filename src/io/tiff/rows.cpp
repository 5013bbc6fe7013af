#include "rows.hpp"

#include <algorithm>
#include <memory>

#include "nucdet/core/error.hpp"

#include "../jpeg2000.hpp"
#include "unpack.hpp"

namespace nucdet::io::detail {

namespace {

constexpr Index kMostChannels = 8;  // of a picture with more nothing is read

/// One open file for each channel that lies apart, so that each is read from front to back.
struct Lane {
  std::unique_ptr<TiffFile> file;
  std::uint16_t sample = 0;
  std::vector<std::uint8_t> raw{};
};

struct Reader {
  const TiffSamples& samples;
  SampleType type;
  std::vector<Lane> lanes{};
  std::vector<std::uint8_t> channel{}, row{};

  Index per_lane() const { return lanes.size() == 1 ? samples.channels : 1; }
  TIFF* tiff() const { return lanes[0].file->get(); }
};

Lane open_lane(const EncodedImage& source, std::uint64_t directory, std::uint16_t sample) {
  Lane lane{std::make_unique<TiffFile>(source), sample};
  lane.file->select(directory);
  if (lane.file->field16(TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
      lane.file->field16(TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_YCBCR)
    TIFFSetField(lane.file->get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  return lane;
}

Reader open_reader(const EncodedImage& source, const TiffSamples& s) {
  Reader r{s, type_of(s, source.where)};
  const bool pages = s.directories.size() > 1;
  const Index lanes = pages || s.separate ? s.channels : 1;
  for (Index i = 0; i < lanes; ++i)
    r.lanes.push_back(open_lane(source, s.directories[pages ? static_cast<std::size_t>(i) : 0],
                                static_cast<std::uint16_t>(pages ? 0 : i)));
  if (TIFFIsCODECConfigured(static_cast<std::uint16_t>(s.compression)) == 0)
    throw IoError(message(source.where, ": TIFF: compression ", s.compression,
                          " is not read: save it uncompressed, with LZW or deflate"));
  return r;
}

/// Hands on `count` pixels; the lanes' samples begin at `offset` of their raw bytes.
void hand_on(Reader& r, std::size_t offset, Index y, Index x, Index count, const TiffRowSink& sink) {
  const Index size = size_of(r.type), channels = r.samples.channels;
  r.row.resize(static_cast<std::size_t>(count * channels * size));
  if (r.lanes.size() == 1) {
    unpack(r.lanes[0].raw.data() + offset, count * channels, r.samples, r.type, r.row.data());
  } else {
    r.channel.resize(static_cast<std::size_t>(count * size));
    for (std::size_t c = 0; c < r.lanes.size(); ++c) {
      unpack(r.lanes[c].raw.data() + offset, count, r.samples, r.type, r.channel.data());
      interleave(r.channel.data(), count, size, channels, r.row.data() + static_cast<Index>(c) * size);
    }
  }
  sink(r.row.data(), y, x, count);
}

void check_row_bytes(const Reader& r, tmsize_t found, Index pixels) {
  if (found < (pixels * r.per_lane() * r.samples.bits + 7) / 8) r.lanes[0].file->fail("rows of no usable size");
}

void read_strips(Reader& r, const TiffRowSink& sink) {
  for (Lane& lane : r.lanes) {
    const tmsize_t bytes = TIFFScanlineSize(lane.file->get());
    check_row_bytes(r, bytes, r.samples.width);
    lane.raw.resize(static_cast<std::size_t>(bytes));
  }
  for (Index y = 0; y < r.samples.height; ++y) {
    for (Lane& lane : r.lanes)
      if (TIFFReadScanline(lane.file->get(), lane.raw.data(), static_cast<std::uint32_t>(y), lane.sample) != 1 ||
          lane.file->lost_pixels())
        lane.file->fail("truncated or damaged");
    hand_on(r, 0, y, 0, r.samples.width, sink);
  }
}

struct Tiles {
  Index width, height;
};

Tiles tiles_of(const TiffFile& file) {
  const Tiles tiles{file.field(TIFFTAG_TILEWIDTH, 0), file.field(TIFFTAG_TILELENGTH, 0)};
  if (tiles.width < 1 || tiles.height < 1 || tiles.height > file.source().options.pixels / tiles.width)
    file.fail("tiles of no usable size");
  return tiles;
}

void read_tile(Lane& lane, Index y, Index x) {
  TIFF* const tiff = lane.file->get();
  const std::uint32_t tile =
      TIFFComputeTile(tiff, static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, lane.sample);
  const auto bytes = static_cast<tmsize_t>(lane.raw.size());
  if (TIFFReadEncodedTile(tiff, tile, lane.raw.data(), bytes) < bytes || lane.file->lost_pixels())
    lane.file->fail("truncated or damaged");
}

void read_tiles(Reader& r, const TiffRowSink& sink) {
  const Tiles tiles = tiles_of(*r.lanes[0].file);
  const tmsize_t row_bytes = TIFFTileRowSize(r.tiff());
  check_row_bytes(r, row_bytes, tiles.width);
  for (Lane& lane : r.lanes) {
    const Tiles others = tiles_of(*lane.file);
    if (others.width != tiles.width || others.height != tiles.height) lane.file->fail("tiles of several sizes");
    lane.raw.resize(static_cast<std::size_t>(TIFFTileSize(lane.file->get())));
    if (static_cast<tmsize_t>(lane.raw.size()) < row_bytes * tiles.height) lane.file->fail("tiles of no usable size");
  }
  for (Index y = 0; y < r.samples.height; y += tiles.height)
    for (Index x = 0; x < r.samples.width; x += tiles.width) {
      for (Lane& lane : r.lanes) read_tile(lane, y, x);
      const Index columns = std::min(tiles.width, r.samples.width - x);
      for (Index i = 0; i < std::min(tiles.height, r.samples.height - y); ++i)
        hand_on(r, static_cast<std::size_t>(i * row_bytes), y + i, x, columns, sink);
    }
}

/// A tile or strip of JPEG 2000, whose place in the picture is (y, x).
struct Block {
  std::uint32_t number;
  Index y, x, height, width;
};

void read_block(const TiffFile& file, const TiffSamples& s, const Block& block, const TiffRowSink& sink) {
  const auto bytes = file.source().bytes;
  const std::uint64_t at = TIFFGetStrileOffset(file.get(), block.number);
  const std::uint64_t count = TIFFGetStrileByteCount(file.get(), block.number);
  if (at > bytes.size() || count > bytes.size() - at || count == 0) file.fail("truncated: a tile lies beyond the end");
  const auto check = [&](const Jpeg2000Header& h) {
    if (h.width < block.width || h.height < block.height || h.channels != s.channels || h.bits != s.bits)
      file.fail("a JPEG 2000 tile of another size or kind than its page");
    check_size(file.source(), h.width, h.height);
  };
  const auto begin = [&](const Jpeg2000Header& h) -> Jpeg2000RowSink {
    const bool ycc = (h.ycc || s.compression == 33003) && s.channels >= 3 && s.bits == 8;
    return [&, ycc](void* row, Index y) {
      if (y >= block.height) return;
      if (ycc) ycc_to_rgb(static_cast<std::uint8_t*>(row), block.width, s.channels);
      sink(row, block.y + y, block.x, block.width);
    };
  };
  read_jpeg2000(bytes.subspan(at, count), file.source().where, check, begin);
}

void read_jpeg2000_blocks(const TiffFile& file, const TiffSamples& s, const TiffRowSink& sink) {
  if (s.separate || s.directories.size() > 1) file.fail("JPEG 2000 in separate planes is not read");
  const bool tiled = TIFFIsTiled(file.get()) != 0;
  const Index strip = std::min<Index>(file.field(TIFFTAG_ROWSPERSTRIP, ~0u), s.height);
  const Tiles blocks = tiled ? tiles_of(file) : Tiles{s.width, std::max<Index>(strip, 1)};
  for (Index y = 0; y < s.height; y += blocks.height)
    for (Index x = 0; x < s.width; x += blocks.width) {
      const auto row = static_cast<std::uint32_t>(y), column = static_cast<std::uint32_t>(x);
      const std::uint32_t number =
          tiled ? TIFFComputeTile(file.get(), column, row, 0, 0) : TIFFComputeStrip(file.get(), row, 0);
      read_block(file, s, {number, y, x, std::min(blocks.height, s.height - y), std::min(blocks.width, s.width - x)},
                 sink);
    }
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
  if (samples.jpeg2000()) {
    TiffFile file(source);
    file.select(samples.directories[0]);
    return read_jpeg2000_blocks(file, samples, sink);
  }
  Reader reader = open_reader(source, samples);
  if (TIFFIsTiled(reader.tiff()) != 0)
    read_tiles(reader, sink);
  else
    read_strips(reader, sink);
}

}  // namespace nucdet::io::detail

#include "tiles.hpp"

#include <algorithm>

#include "nucdet/core/error.hpp"

#include "../jpeg2000.hpp"

namespace nucdet::io::detail {

namespace {

std::uint32_t tile_at(const TiffFile& file, Index y, Index x, std::uint16_t sample) {
  return TIFFComputeTile(file.get(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, sample);
}

/// Memory is taken with the first tile: a file may claim large ones of which none is wanted.
void decode(TiffLanes::Lane& lane, Index y, Index x) {
  const tmsize_t bytes = TIFFTileSize(lane.file->get());
  lane.raw.resize(static_cast<std::size_t>(bytes));
  if (TIFFReadEncodedTile(lane.file->get(), tile_at(*lane.file, y, x, lane.sample), lane.raw.data(), bytes) < bytes ||
      lane.file->lost_pixels())
    lane.file->fail("truncated or damaged");
}

}  // namespace

void read_jpeg2000_block(const TiffFile& file, const TiffSamples& s, const TiffBlock& block, const TiffRowSink& sink) {
  const auto bytes = file.source().bytes;
  const std::uint64_t at = TIFFGetStrileOffset(file.get(), block.number);
  const std::uint64_t count = TIFFGetStrileByteCount(file.get(), block.number);
  if (at > bytes.size() || count > bytes.size() - at || count == 0) file.fail("truncated: a tile lies beyond the end");
  const auto check = [&](const Jpeg2000Header& h) {
    if (h.width < block.width || h.height < block.height || h.channels != s.channels || h.bits != s.bits)
      file.fail("a JPEG 2000 tile of another size or kind than its page");
    check_size(file.source(), h.width, h.height);
    if (TIFFIsTiled(file.get()) != 0 &&
        (h.width > file.field(TIFFTAG_TILEWIDTH, 0) || h.height > file.field(TIFFTAG_TILELENGTH, 0)))
      file.fail("a JPEG 2000 tile that is larger than its page's tiles");
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

TiffTileReader::TiffTileReader(const EncodedImage& source, const TiffSamples& s, bool as_rgb)
    : samples_(s), as_rgb_(as_rgb) {
  if (as_rgb || s.jpeg2000()) {
    file_ = std::make_unique<TiffFile>(source);
    file_->select(s.directories[0]);
    if (!as_rgb && (s.separate || s.directories.size() > 1)) file_->fail("JPEG 2000 in separate planes is not read");
    if (as_rgb) TIFFSetField(file_->get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);  // turned elsewhere
  } else {
    lanes_.emplace(source, s);
  }
  const TiffFile& file = lanes_ ? lanes_->file() : *file_;
  width_ = file.field(TIFFTAG_TILEWIDTH, 0), height_ = file.field(TIFFTAG_TILELENGTH, 0);
  if (width_ < 1 || height_ < 1 || height_ > source.options.pixels / width_) file.fail("tiles of no usable size");
  if (lanes_) prepare_lanes();
}

void TiffTileReader::prepare_lanes() {
  row_bytes_ = TIFFTileRowSize(lanes_->tiff());
  lanes_->check_row_bytes(row_bytes_, width_);
  for (TiffLanes::Lane& lane : lanes_->all()) {
    const TiffFile& file = *lane.file;
    if (file.field(TIFFTAG_TILEWIDTH, 0) != width_ || file.field(TIFFTAG_TILELENGTH, 0) != height_)
      file.fail("tiles of several sizes");
    if (TIFFTileSize(file.get()) < row_bytes_ * height_) file.fail("tiles of no usable size");
  }
}

bool TiffTileReader::stored(Index y, Index x) {
  const auto has = [&](const TiffFile& file, std::uint16_t sample) {
    return TIFFGetStrileByteCount(file.get(), tile_at(file, y, x, sample)) != 0;
  };
  if (!lanes_) return has(*file_, 0);
  return std::any_of(lanes_->all().begin(), lanes_->all().end(),
                     [&](const TiffLanes::Lane& lane) { return has(*lane.file, lane.sample); });
}

void TiffTileReader::read_by_lanes(const TiffBlock& block, const TiffRowSink& sink) {
  for (TiffLanes::Lane& lane : lanes_->all()) decode(lane, block.y, block.x);
  for (Index i = 0; i < block.height; ++i)
    lanes_->hand_on(static_cast<std::size_t>(i * row_bytes_), block.y + i, block.x, block.width, sink);
}

void TiffTileReader::read(Index y, Index x, const TiffRowSink& sink) {
  const TiffBlock block{tile_at(lanes_ ? lanes_->file() : *file_, y, x, 0), y, x,
                        std::min(height_, samples_.height - y), std::min(width_, samples_.width - x)};
  if (lanes_) return read_by_lanes(block, sink);
  if (!as_rgb_) return read_jpeg2000_block(*file_, samples_, block, sink);
  read_tiff_block_as_rgb(*file_, block.y, block.x, block.height, block.width, sink);
}

}  // namespace nucdet::io::detail

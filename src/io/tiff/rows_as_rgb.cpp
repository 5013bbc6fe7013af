#include <algorithm>

#include "rows.hpp"

namespace nucdet::io::detail {

namespace {

void hand_on(const std::uint32_t* pixels, Index y, Index x, Index count, std::vector<std::uint8_t>& row,
             const TiffRowSink& sink) {
  row.resize(static_cast<std::size_t>(3 * count));
  for (Index i = 0; i < count; ++i) {
    row[static_cast<std::size_t>(3 * i)] = static_cast<std::uint8_t>(TIFFGetR(pixels[i]));
    row[static_cast<std::size_t>(3 * i + 1)] = static_cast<std::uint8_t>(TIFFGetG(pixels[i]));
    row[static_cast<std::size_t>(3 * i + 2)] = static_cast<std::uint8_t>(TIFFGetB(pixels[i]));
  }
  sink(row.data(), y, x, count);
}

struct BlockSize {
  Index rows, columns;
};

BlockSize block_size(const TiffFile& file) {
  const bool tiled = TIFFIsTiled(file.get()) != 0;
  const Index width = file.field(TIFFTAG_IMAGEWIDTH, 0), height = file.field(TIFFTAG_IMAGELENGTH, 0);
  const Index rows =
      tiled ? file.field(TIFFTAG_TILELENGTH, 0) : std::min<Index>(file.field(TIFFTAG_ROWSPERSTRIP, ~0u), height);
  const Index columns = tiled ? file.field(TIFFTAG_TILEWIDTH, 0) : width;
  if (rows < 1 || columns < 1 || rows > file.source().options.pixels / columns)
    file.fail("strips or tiles of no usable size");
  return {rows, columns};
}

}  // namespace

void read_tiff_block_as_rgb(const TiffFile& file, Index y, Index x, Index height, Index width,
                            const TiffRowSink& sink) {
  TIFF* const tiff = file.get();
  const bool tiled = TIFFIsTiled(tiff) != 0;
  const BlockSize size = block_size(file);
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(size.rows * size.columns));
  std::vector<std::uint8_t> row;
  char reason[1024] = "";
  if (TIFFRGBAImageOK(tiff, reason) == 0) file.fail(reason);
  const auto top = static_cast<std::uint32_t>(y), left = static_cast<std::uint32_t>(x);
  const int read = tiled ? TIFFReadRGBATileExt(tiff, left, top, raster.data(), 1)
                         : TIFFReadRGBAStripExt(tiff, top, raster.data(), 1);
  if (read == 0 || file.lost_pixels()) file.fail("truncated or damaged");
  const Index last = (tiled ? size.rows : height) - 1;  // the last row is first
  for (Index i = 0; i < height; ++i) hand_on(raster.data() + (last - i) * size.columns, y + i, x, width, row, sink);
}

void read_tiff_as_rgb(const EncodedImage& source, const TiffSamples& s, const TiffRowSink& sink) {
  TiffFile file(source);
  file.select(s.directories[0]);
  TIFFSetField(file.get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);  // the picture is turned elsewhere
  const BlockSize size = block_size(file);
  for (Index y = 0; y < s.height; y += size.rows)
    for (Index x = 0; x < s.width; x += size.columns)
      read_tiff_block_as_rgb(file, y, x, std::min(size.rows, s.height - y), std::min(size.columns, s.width - x), sink);
}

}  // namespace nucdet::io::detail

#pragma once
#include <optional>

#include "lanes.hpp"

namespace nucdet::io::detail {

/// A tile or strip, whose place in the picture is (y, x).
struct TiffBlock {
  std::uint32_t number;
  Index y, x, height, width;
};

/// Reads a tile or strip of JPEG 2000. Throws IoError.
void read_jpeg2000_block(const TiffFile& file, const TiffSamples& samples, const TiffBlock& block,
                         const TiffRowSink& sink);

/// Reads the tiles of a page, or of several that are its planes, one at a time and in any order. After an error it
/// must not be used any more.
class TiffTileReader {
 public:
  /// `as_rgb`: by libtiff's conversion (read_tiff_as_rgb). Throws IoError for a page without tiles, and for what is not
  /// read. The source must outlive this.
  TiffTileReader(const EncodedImage& source, const TiffSamples& samples, bool as_rgb = false);

  Index width() const { return width_; }
  Index height() const { return height_; }
  /// Whether the file has the tile that begins at (y, x): writers may leave out those without content.
  bool stored(Index y, Index x);
  /// Hands on what lies within the page. Throws IoError.
  void read(Index y, Index x, const TiffRowSink& sink);

 private:
  void prepare_lanes();
  void read_by_lanes(const TiffBlock& block, const TiffRowSink& sink);

  TiffSamples samples_;
  bool as_rgb_;
  std::optional<TiffLanes> lanes_;  // of what libtiff decodes
  std::unique_ptr<TiffFile> file_;  // of the rest
  Index width_ = 0, height_ = 0;
  tmsize_t row_bytes_ = 0;
};

}  // namespace nucdet::io::detail

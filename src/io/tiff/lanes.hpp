#pragma once
#include <memory>

#include "rows.hpp"

namespace nucdet::io::detail {

/// Throws IoError for a compression that libtiff does not read.
void check_codec(const TiffSamples& samples, std::string_view where);

/// The open files that a page, or several pages that are its planes, are read by: one, or one for each channel that
/// lies apart, so that each is read from front to back.
class TiffLanes {
 public:
  struct Lane {
    std::unique_ptr<TiffFile> file;
    std::uint16_t sample = 0;
    std::vector<std::uint8_t> raw{};  ///< what was decoded last
  };

  /// Throws IoError for samples and compressions that are not read. The source must outlive this.
  TiffLanes(const EncodedImage& source, const TiffSamples& samples);

  std::vector<Lane>& all() { return lanes_; }
  const TiffFile& file() const { return *lanes_[0].file; }
  TIFF* tiff() const { return lanes_[0].file->get(); }

  /// Throws IoError unless a row of `pixels` fits in `found` bytes of a lane.
  void check_row_bytes(tmsize_t found, Index pixels) const;
  /// Hands on `count` pixels; the lanes' samples begin at `offset` of their raw bytes.
  void hand_on(std::size_t offset, Index y, Index x, Index count, const TiffRowSink& sink);

 private:
  TiffSamples samples_;
  SampleType type_;
  std::vector<Lane> lanes_;
  std::vector<std::uint8_t> channel_, row_;
};

}  // namespace nucdet::io::detail

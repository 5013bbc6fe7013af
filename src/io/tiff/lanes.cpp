#include "lanes.hpp"

#include "nucdet/core/error.hpp"

#include "unpack.hpp"

namespace nucdet::io::detail {

namespace {

TiffLanes::Lane open_lane(const EncodedImage& source, std::uint64_t directory, std::uint16_t sample) {
  TiffLanes::Lane lane{std::make_unique<TiffFile>(source), sample};
  lane.file->select(directory);
  if (lane.file->field16(TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
      lane.file->field16(TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_YCBCR)
    TIFFSetField(lane.file->get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  return lane;
}

}  // namespace

void check_codec(const TiffSamples& s, std::string_view where) {
  if (TIFFIsCODECConfigured(static_cast<std::uint16_t>(s.compression)) == 0)
    throw IoError(message(where, ": TIFF: compression ", s.compression,
                          " is not read: save it uncompressed, with LZW or deflate"));
}

TiffLanes::TiffLanes(const EncodedImage& source, const TiffSamples& s) : samples_(s), type_(type_of(s, source.where)) {
  const bool pages = s.directories.size() > 1;
  const Index lanes = pages || s.separate ? s.channels : 1;
  for (Index i = 0; i < lanes; ++i)
    lanes_.push_back(open_lane(source, s.directories[pages ? static_cast<std::size_t>(i) : 0],
                               static_cast<std::uint16_t>(pages ? 0 : i)));
  check_codec(s, source.where);
}

void TiffLanes::check_row_bytes(tmsize_t found, Index pixels) const {
  const Index channels = lanes_.size() == 1 ? samples_.channels : 1;
  if (found < (pixels * channels * samples_.bits + 7) / 8) file().fail("rows of no usable size");
}

void TiffLanes::hand_on(std::size_t offset, Index y, Index x, Index count, const TiffRowSink& sink) {
  const Index size = size_of(type_), channels = samples_.channels;
  row_.resize(static_cast<std::size_t>(count * channels * size));
  if (lanes_.size() == 1) {
    unpack(lanes_[0].raw.data() + offset, count * channels, samples_, type_, row_.data());
  } else {
    channel_.resize(static_cast<std::size_t>(count * size));
    for (std::size_t c = 0; c < lanes_.size(); ++c) {
      unpack(lanes_[c].raw.data() + offset, count, samples_, type_, channel_.data());
      interleave(channel_.data(), count, size, channels, row_.data() + static_cast<Index>(c) * size);
    }
  }
  sink(row_.data(), y, x, count);
}

}  // namespace nucdet::io::detail

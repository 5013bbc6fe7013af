#pragma once
#include <string>

#include <tiffio.h>

#include "../codecs.hpp"

/// libtiff 4.5 or newer: its error handlers belong to the open file, so that nothing global is changed or printed.
namespace nucdet::io::detail {

/// A TIFF file in memory, opened by libtiff, at one of its directories.
class TiffFile {
 public:
  /// Throws IoError if it cannot be opened. The source must outlive this.
  explicit TiffFile(const EncodedImage& source);
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;
  ~TiffFile() { TIFFClose(tiff_); }

  TIFF* get() const { return tiff_; }
  const EncodedImage& source() const { return source_; }

  /// Goes to the directory at an offset of the file. Throws IoError.
  void select(std::uint64_t directory);
  /// Throws the IoError of what libtiff said, or of `otherwise`.
  [[noreturn]] void fail(std::string_view otherwise) const;
  /// Whether pixels were lost in what libtiff only warns of.
  bool lost_pixels() const { return lost_pixels_; }

  std::uint32_t field(std::uint32_t tag, std::uint32_t otherwise) const;
  /// Of 16 bits; the default is the standard's.
  std::uint16_t field16(std::uint32_t tag, std::uint16_t otherwise = 0) const;
  /// Empty where the tag is missing.
  std::string text(std::uint32_t tag) const;
  /// Whether a tag that libtiff does not know by name is there.
  bool has_private(std::uint32_t tag) const;

 private:
  friend struct TiffCallbacks;
  const EncodedImage& source_;
  toff_t at_ = 0;
  char error_[256] = "";
  bool lost_pixels_ = false;
  TIFF* tiff_ = nullptr;
};

}  // namespace nucdet::io::detail

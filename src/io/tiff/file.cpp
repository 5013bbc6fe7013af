#include "file.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

struct TiffCallbacks {
  static TiffFile& file(thandle_t handle) { return *static_cast<TiffFile*>(handle); }

  static tmsize_t read(thandle_t handle, void* to, tmsize_t count) {
    TiffFile& f = file(handle);
    const auto bytes = f.source_.bytes;
    if (count <= 0 || f.at_ >= bytes.size()) return 0;
    const std::size_t part = std::min(static_cast<std::size_t>(count), bytes.size() - f.at_);
    std::memcpy(to, bytes.data() + f.at_, part);
    f.at_ += part;
    return static_cast<tmsize_t>(part);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t handle, toff_t offset, int origin) {
    TiffFile& f = file(handle);
    const toff_t base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? f.at_ : f.source_.bytes.size();
    return f.at_ = base + offset;
  }
  static int close(thandle_t) { return 0; }
  /// The bytes are in memory. (Unmapped, libtiff 4.5 refuses bare tiles whose size is no multiple of 1024.)
  static int map(thandle_t handle, void** base, toff_t* size) {
    const auto bytes = file(handle).source_.bytes;
    *base = const_cast<std::byte*>(bytes.data());  // opened to be read
    *size = bytes.size();
    return 1;
  }
  static void unmap(thandle_t, void*, toff_t) {}
  static toff_t size(thandle_t handle) { return file(handle).source_.bytes.size(); }

  /// Keeps the first error, which is the cause of the others.
  static int error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
    TiffFile& f = *static_cast<TiffFile*>(user);
    if (f.error_[0] == '\0') std::vsnprintf(f.error_, sizeof f.error_, format, arguments);
    return 1;
  }
  /// Of JPEG data that end early libtiff only warns.
  static int warning(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
    if (std::strcmp(module, "JPEGLib") != 0) return 1;
    char text[256] = "";
    std::vsnprintf(text, sizeof text, format, arguments);
    if (std::strstr(text, "remature end") != nullptr) static_cast<TiffFile*>(user)->lost_pixels_ = true;
    return 1;
  }
};

TiffFile::TiffFile(const EncodedImage& source) : source_(source) {
  const auto free_options = [](TIFFOpenOptions* options) { TIFFOpenOptionsFree(options); };
  const std::unique_ptr<TIFFOpenOptions, decltype(free_options)> options(TIFFOpenOptionsAlloc(), free_options);
  if (!options) fail("out of memory");
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), TiffCallbacks::error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), TiffCallbacks::warning, this);
  constexpr Index kMostAtOnce = Index{1} << 31;  // bytes; of slides any number of pixels is read, a tile at a time
  const Index most = std::min(8 * std::min(source.options.pixels, kMostAtOnce), kMostAtOnce) + (1 << 20);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most));
  using C = TiffCallbacks;
  tiff_ =
      TIFFClientOpenExt("", "r", this, C::read, C::write, C::seek, C::close, C::size, C::map, C::unmap, options.get());
  if (tiff_ == nullptr) fail("cannot be opened");
}

void TiffFile::select(std::uint64_t directory) {
  if (TIFFCurrentDirOffset(tiff_) != directory && TIFFSetSubDirectory(tiff_, directory) == 0)
    fail("a directory cannot be read");
}

void TiffFile::fail(std::string_view otherwise) const {
  throw IoError(message(source_.where, ": TIFF: ", error_[0] != '\0' ? std::string_view(error_) : otherwise));
}

std::uint32_t TiffFile::field(std::uint32_t tag, std::uint32_t otherwise) const {
  std::uint32_t value = 0;
  return TIFFGetField(tiff_, tag, &value) == 1 ? value : otherwise;
}
std::uint16_t TiffFile::field16(std::uint32_t tag, std::uint16_t otherwise) const {
  std::uint16_t value = 0;
  return TIFFGetFieldDefaulted(tiff_, tag, &value) == 1 ? value : otherwise;
}
std::string TiffFile::text(std::uint32_t tag) const {
  const char* value = nullptr;
  return TIFFGetField(tiff_, tag, &value) == 1 && value != nullptr ? value : "";
}
bool TiffFile::has_private(std::uint32_t tag) const {
  const int count = TIFFGetTagListCount(tiff_);
  for (int i = 0; i < count; ++i)
    if (TIFFGetTagListEntry(tiff_, i) == tag) return true;
  return false;
}

}  // namespace nucdet::io::detail

#include "gzip.hpp"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

// Added to zlib's window bits: the stream is gzip's.
constexpr int kGzipStream = 16;

class Inflater {
 public:
  Inflater(std::string_view bytes, std::string_view where, int window_bits) : where_(where) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    left_ = bytes.size();
    if (inflateInit2(&stream_, window_bits) != Z_OK) throw IoError(message(where, ": zlib cannot be started"));
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  std::string all(std::uint64_t most, bool members) {
    std::string text;
    char block[1 << 16];
    for (;;) {
      feed();
      stream_.next_out = reinterpret_cast<Bytef*>(block), stream_.avail_out = sizeof block;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      text.append(block, sizeof block - stream_.avail_out);
      if (text.size() > most) throw IoError(message(where_, ": unpacks to more than ", most, " bytes"));
      const bool more = stream_.avail_in > 0 || left_ > 0;
      if (result == Z_STREAM_END && !(members && more)) return text;
      if (result == Z_STREAM_END) inflateReset(&stream_);
      if ((result != Z_OK && result != Z_STREAM_END) || (result == Z_OK && !more && stream_.avail_out > 0))
        throw IoError(message(where_, ": the compressed bytes are damaged or end early"));
    }
  }

 private:
  void feed() {
    if (stream_.avail_in > 0) return;
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(left_, std::numeric_limits<uInt>::max()));
    left_ -= stream_.avail_in;
  }

  std::string_view where_;
  z_stream stream_{};
  std::size_t left_ = 0;
};

}  // namespace

std::string gunzip(std::string_view bytes, std::string_view where, std::uint64_t most) {
  return Inflater(bytes, where, MAX_WBITS + kGzipStream).all(most, true);
}

std::string inflate_zlib(std::string_view bytes, std::string_view where, std::uint64_t most) {
  return Inflater(bytes, where, MAX_WBITS).all(most, false);
}

}  // namespace nucdet::io::detail

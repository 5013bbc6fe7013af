#include "gzip.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include <zlib.h>

#include "nucdet/core/error.hpp"

#include "text_sink.hpp"

namespace nucdet::io::detail {

namespace {

// Added to zlib's window bits: the stream is gzip's.
constexpr int kGzipStream = 16;
// Nuclei as text are long runs of the same words: a higher level takes three times as long for a tenth less.
constexpr int kLevel = 4;

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

class Gzip {
 public:
  explicit Gzip(std::string comment) : comment_(std::move(comment)) {
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, MAX_WBITS + kGzipStream, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw IoError("zlib cannot be started");
    header_.os = 255;  // not told: the same bytes everywhere
    if (!comment_.empty()) header_.comment = reinterpret_cast<Bytef*>(comment_.data());
    deflateSetHeader(&stream_, &header_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() { deflateEnd(&stream_); }

  void write(std::string_view text, AtomicFile& file, bool last) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(packed_), stream_.avail_out = sizeof packed_;
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      file.write(packed_, sizeof packed_ - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  std::string comment_;
  gz_header header_{};
  z_stream stream_{};
  char packed_[1 << 16];
};

TextSink::TextSink(const std::filesystem::path& path, const char* comment)
    : file_(path), gzip_(path.extension() == ".gz" ? std::make_unique<Gzip>(comment) : nullptr) {
  text_.reserve(2 * kBlock);
}

TextSink::~TextSink() = default;

void TextSink::write() {
  if (gzip_)
    gzip_->write(text_, file_, false);
  else
    file_.write(text_);
  text_.clear();
}

void TextSink::commit() {
  if (gzip_)
    gzip_->write(text_, file_, true);
  else
    file_.write(text_);
  text_.clear();
  file_.commit();
}

}  // namespace nucdet::io::detail

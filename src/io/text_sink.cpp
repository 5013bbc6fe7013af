#include "text_sink.hpp"

#include <zlib.h>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

// Added to zlib's window bits: the stream is gzip's.
constexpr int kGzipStream = 16;
// Nuclei as text are long runs of the same words: a higher level takes three times as long for a tenth less.
constexpr int kLevel = 4;

}  // namespace

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
    : file_(path),
      gzip_(small_letters(path.extension().string()) == ".gz" ? std::make_unique<Gzip>(comment) : nullptr) {
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

#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "nucdet/io/atomic_file.hpp"

namespace nucdet::io::detail {

class Gzip;

/// A text file written in blocks, so that memory does not grow with it; gzipped where the name ends in ".gz". It
/// appears whole or not at all. `comment` stands in front of what is gzipped, where it can be read without unpacking.
/// Throws IoError.
class TextSink {
 public:
  explicit TextSink(const std::filesystem::path& path, const char* comment = "");
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;
  ~TextSink();

  /// Where the next record is appended to.
  std::string& text() {
    if (text_.size() >= kBlock) write();
    return text_;
  }
  /// Puts the file in its place.
  void commit();

 private:
  static constexpr std::size_t kBlock = 1 << 16;

  void write();

  AtomicFile file_;
  std::unique_ptr<Gzip> gzip_;
  std::string text_;
};

}  // namespace nucdet::io::detail

#include "nucdet/slide/journal.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet::slide {

namespace {

constexpr std::string_view kMagic = "nucdet journal 1\n";

struct TileHead {
  std::uint64_t tile = 0, count = 0, hash = 0;
};
struct Row {
  double x = 0, y = 0;
  float score = 0, class_probability = 0;
  std::int64_t class_id = kUnknownClass;
};
static_assert(std::endian::native == std::endian::little && sizeof(TileHead) == 24 && sizeof(Row) == 32);

std::uint64_t hash_of(std::uint64_t tile, const std::vector<Row>& rows) {
  ContentHash hash;
  hash.add(tile), hash.add(rows.data(), rows.size() * sizeof(Row));
  return hash.value();
}

std::string header_of(const std::string& key) { return std::string(kMagic) + key + '\n'; }

/// Bytes from a place on; false if there are not so many.
bool read_at(int descriptor, std::int64_t at, void* to, std::size_t bytes) {
  char* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor, next, bytes, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got, at += got, bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

/// All bytes, to a place; else what the system said.
std::errc write_at(int descriptor, std::int64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor, bytes.data(), bytes.size(), at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put == 0 ? std::errc::no_space_on_device : static_cast<std::errc>(errno);
    at += put, bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

/// What says of a tile at a place how many rows it has, if so many are there.
bool read_head(int descriptor, std::int64_t at, std::int64_t size, TileHead& head) {
  if (at + static_cast<std::int64_t>(sizeof head) > size || !read_at(descriptor, at, &head, sizeof head)) return false;
  const auto left = static_cast<std::uint64_t>(size - at) - sizeof head;
  return head.count <= left / sizeof(Row);
}

/// The tile that begins at a place, if it is whole.
bool read_tile(int descriptor, std::int64_t at, std::int64_t size, TileHead& head, std::vector<Row>& rows) {
  if (!read_head(descriptor, at, size, head)) return false;
  rows.resize(head.count);
  at += static_cast<std::int64_t>(sizeof head);
  return read_at(descriptor, at, rows.data(), rows.size() * sizeof(Row)) && hash_of(head.tile, rows) == head.hash;
}

std::int64_t bytes_of(const TileHead& head) {
  return static_cast<std::int64_t>(sizeof head + head.count * sizeof(Row));
}

std::int64_t size_of(int descriptor) {
  struct stat about {};
  return ::fstat(descriptor, &about) == 0 ? static_cast<std::int64_t>(about.st_size) : 0;
}

[[noreturn]] void fail(const std::filesystem::path& file, const char* what, int error) {
  throw IoError(message(file.string(), ": the journal ", what, ": ", std::generic_category().message(error)));
}

}  // namespace

Journal::Journal(const std::filesystem::path& file, const std::string& key)
    : file_(file), descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail(file_, "cannot be opened", errno);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw IoError(message(file_.string(), ": another process works on this slide"));
    recover(key);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Journal::~Journal() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

/// Keeps the whole tiles of a journal by the same key.
void Journal::recover(const std::string& key) {
  const std::int64_t size = size_of(descriptor_);
  const std::string header = header_of(key);
  std::string found(std::min<std::size_t>(static_cast<std::size_t>(size), header.size()), '\0');
  if (!read_at(descriptor_, 0, found.data(), found.size())) fail(file_, "cannot be read", errno);
  const std::size_t known = std::min(found.size(), kMagic.size());
  if (found.compare(0, known, kMagic, 0, known) != 0)
    throw IoError(message(file_.string(), ": is there and no journal of nucdet: move it away or choose another --out"));
  end_ = static_cast<std::int64_t>(header.size());
  if (found == header) {
    TileHead head;
    for (std::vector<Row> rows; read_tile(descriptor_, end_, size, head, rows); end_ += bytes_of(head)) {
      if (!tiles_.insert(static_cast<Index>(head.tile)).second) break;  // of a tile that is there already
      nuclei_ += static_cast<Index>(head.count);
    }
  } else {
    if (::ftruncate(descriptor_, 0) != 0) fail(file_, "cannot be written", errno);
    if (const std::errc error = write_at(descriptor_, 0, header); error != std::errc{})
      fail(file_, "cannot be written", static_cast<int>(error));
  }
  if (::ftruncate(descriptor_, end_) != 0) fail(file_, "cannot be written", errno);
}

void Journal::add(Index tile, std::span<const Nucleus> nuclei) {
  if (holds(tile)) throw ArgumentError(message("Journal: tile ", tile, " is there already"));
  std::vector<Row> rows;
  for (const Nucleus& n : nuclei) rows.push_back({n.centre.x, n.centre.y, n.score, n.class_probability, n.class_id});
  TileHead head{static_cast<std::uint64_t>(tile), rows.size(), 0};
  head.hash = hash_of(head.tile, rows);
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(Row));
  if (const std::errc error = write_at(descriptor_, end_, bytes); error != std::errc{}) {
    static_cast<void>(!::ftruncate(descriptor_, end_));
    fail(file_, "cannot be written", static_cast<int>(error));
  }
  end_ += static_cast<std::int64_t>(bytes.size());
  tiles_.insert(tile), nuclei_ += static_cast<Index>(rows.size());
}

std::vector<Nucleus> Journal::read() const {
  struct Place {
    std::size_t first = 0, count = 0;
  };
  // Tiles lie in the order in which they were finished: their rows are read once, and told by number.
  std::vector<Nucleus> all(static_cast<std::size_t>(nuclei_));
  std::map<std::uint64_t, Place> places;
  TileHead head;
  std::vector<Row> rows;
  const auto first = static_cast<std::int64_t>(std::string_view(kMagic).size());
  std::int64_t begin = first;
  char c = 0;
  while (read_at(descriptor_, begin, &c, 1) && c != '\n') ++begin;
  ++begin;
  const auto check = [&](bool same) {
    if (!same) throw IoError(message(file_.string(), ": the journal has changed while it was used"));
  };
  for (std::int64_t at = begin; at < end_; at += bytes_of(head)) {
    check(read_head(descriptor_, at, end_, head));
    check(places.emplace(head.tile, Place{0, head.count}).second);
  }
  std::size_t next = 0;
  for (auto& [tile, place] : places) place.first = next, next += place.count;
  check(places.size() == tiles_.size() && next == all.size());
  for (std::int64_t at = begin; at < end_; at += bytes_of(head)) {
    check(read_tile(descriptor_, at, end_, head, rows));
    const auto place = places.find(head.tile);
    check(place != places.end() && place->second.count == rows.size());
    std::size_t to = place->second.first;
    for (const Row& r : rows) all[to++] = {{r.x, r.y}, r.score, static_cast<int>(r.class_id), r.class_probability};
  }
  return all;
}

void Journal::remove() {
  if (descriptor_ < 0) return;
  ::unlink(file_.c_str());
  ::close(descriptor_), descriptor_ = -1;
}

bool Journal::is_journal(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  std::string begin(kMagic.size(), '\0');
  const bool is = read_at(descriptor, 0, begin.data(), begin.size()) && begin == kMagic;
  ::close(descriptor);
  return is;
}

}  // namespace nucdet::slide

#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "nucdet/core/shape.hpp"

namespace nucdet::slide::detail {

/// Decoded tiles, those used last, up to a number of bytes, or one that is larger: neighbouring rectangles decode their
/// common tiles once. For any number of threads. What is read does not depend on it.
class TileCache {
 public:
  using Tile = std::shared_ptr<const std::vector<std::uint8_t>>;

  explicit TileCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Null where it is not held.
  Tile find(Index level, Index tile) {
    const std::scoped_lock lock(mutex_);
    const auto at = places_.find(key(level, tile));
    if (at == places_.end()) return {};
    entries_.splice(entries_.begin(), entries_, at->second);
    return at->second->tile;
  }

  void keep(Index level, Index number, const Tile& tile) {
    const std::scoped_lock lock(mutex_);
    if (places_.contains(key(level, number))) return;
    entries_.push_front({key(level, number), tile});
    places_.emplace(key(level, number), entries_.begin());
    bytes_ += tile->size();
    while (bytes_ > most_bytes_ && entries_.size() > 1) {
      bytes_ -= entries_.back().tile->size();
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    std::uint64_t key;
    Tile tile;
  };
  static std::uint64_t key(Index level, Index tile) {
    return static_cast<std::uint64_t>(level) << 48 | static_cast<std::uint64_t>(tile);
  }

  std::mutex mutex_;
  std::size_t most_bytes_, bytes_ = 0;
  std::list<Entry> entries_;  // the one used last is first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> places_;
};

}  // namespace nucdet::slide::detail

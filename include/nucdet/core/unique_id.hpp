#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace nucdet {

/// A number that no other object of the program has, or ever had: what is kept elsewhere of an object is known by it,
/// since an address is used again. A copy is another object; a move takes the number along. Made on any thread.
class UniqueId {
 public:
  UniqueId() = default;
  UniqueId(const UniqueId&) {}
  UniqueId(UniqueId&& other) noexcept : number_(std::exchange(other.number_, next())) {}
  UniqueId& operator=(const UniqueId&) {
    number_ = next();
    return *this;
  }
  UniqueId& operator=(UniqueId&& other) noexcept {
    number_ = std::exchange(other.number_, next());
    return *this;
  }
  std::uint64_t number() const { return number_; }

 private:
  static std::uint64_t next() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
  std::uint64_t number_ = next();
};

}  // namespace nucdet

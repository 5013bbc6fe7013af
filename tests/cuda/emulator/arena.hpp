#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace emulator {

[[noreturn]] void fail(const std::string& message);

/// Device memory: a range of addresses that is out of reach except while operations run.
class Arena {
 public:
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Null if the limit or the range of addresses is exhausted.
  void* allocate(std::size_t bytes, std::size_t limit);
  /// False if nothing was allocated at this address.
  bool release(void* pointer);
  void check_guards();

  /// Whether the address lies in the arena, in use or not.
  bool contains(const volatile void* pointer) const;
  /// Whether all the bytes lie in one allocation.
  bool holds(const void* pointer, std::size_t bytes) const;
  std::size_t used() const { return used_; }

  /// Makes device memory accessible while it lives.
  class Access {
   public:
    explicit Access(Arena& arena) : arena_(arena) {
      if (arena_.depth_++ == 0) arena_.protect(true);
    }
    ~Access() {
      if (--arena_.depth_ == 0) arena_.protect(false);
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

   private:
    Arena& arena_;
  };

 private:
  std::size_t first_fit(std::size_t bytes) const;
  void check_guard(std::size_t offset, std::size_t bytes) const;
  void protect(bool accessible);

  unsigned char* base_;
  std::size_t top_;
  std::size_t used_ = 0;
  int depth_ = 0;
  std::map<std::size_t, std::size_t> allocations_;  // from offset to bytes
};

}  // namespace emulator

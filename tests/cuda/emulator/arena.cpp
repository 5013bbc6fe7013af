#include "arena.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

namespace emulator {
namespace {

constexpr std::size_t kReserved = std::size_t{8} << 30;
constexpr std::size_t kAlignment = 256;
constexpr std::size_t kGuardBytes = 256;
constexpr std::size_t kPage = 4096;
constexpr int kGuardPattern = 0xA5;
constexpr int kUnset = 0xFF;  // a NaN in float and double

// The first page stays out of reach, so that a write before the first allocation is noticed too.
constexpr std::size_t kStart = kPage;

constexpr std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

constexpr std::size_t with_guard(std::size_t bytes) { return round_up(bytes, kAlignment) + kGuardBytes; }

}  // namespace

void fail(const std::string& message) {
  std::fprintf(stderr, "CUDA emulator: %s\n", message.c_str());
  std::abort();
}

Arena::Arena() : base_(nullptr), top_(kStart) {
  void* reserved = mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) fail("cannot reserve addresses for device memory");
  base_ = static_cast<unsigned char*>(reserved);
}

void* Arena::allocate(std::size_t bytes, std::size_t limit) {
  limit = std::min(limit, kReserved);
  if (bytes > limit || used_ > limit - bytes) return nullptr;
  const std::size_t offset = first_fit(with_guard(bytes));
  if (offset > kReserved - with_guard(bytes)) return nullptr;
  allocations_.emplace(offset, bytes);
  used_ += bytes;
  top_ = std::max(top_, offset + with_guard(bytes));
  const Access access(*this);
  std::memset(base_ + offset, kUnset, bytes);
  std::memset(base_ + offset + bytes, kGuardPattern, with_guard(bytes) - bytes);
  return base_ + offset;
}

std::size_t Arena::first_fit(std::size_t bytes) const {
  std::size_t candidate = kStart;
  for (const auto& [offset, size] : allocations_) {
    if (offset - candidate >= bytes) break;
    candidate = offset + with_guard(size);
  }
  return candidate;
}

bool Arena::release(void* pointer) {
  if (!contains(pointer)) return false;
  const auto found = allocations_.find(static_cast<std::size_t>(static_cast<unsigned char*>(pointer) - base_));
  if (found == allocations_.end()) return false;
  const auto [offset, bytes] = *found;
  const Access access(*this);
  check_guard(offset, bytes);
  // Whoever reads it later gets NaN.
  std::memset(base_ + offset, kUnset, bytes);
  used_ -= bytes;
  allocations_.erase(found);
  return true;
}

void Arena::check_guards() {
  const Access access(*this);
  for (const auto& [offset, bytes] : allocations_) check_guard(offset, bytes);
}

void Arena::check_guard(std::size_t offset, std::size_t bytes) const {
  const unsigned char* begin = base_ + offset + bytes;
  const unsigned char* end = base_ + offset + with_guard(bytes);
  const unsigned char* wrong = std::find_if(begin, end, [](unsigned char byte) { return byte != kGuardPattern; });
  if (wrong == end) return;
  fail("a write " + std::to_string(wrong - begin) + " bytes behind the end of an allocation of " +
       std::to_string(bytes) + " bytes");
}

bool Arena::contains(const volatile void* pointer) const {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const auto base = reinterpret_cast<std::uintptr_t>(base_);
  return address >= base && address - base < kReserved;
}

bool Arena::holds(const void* pointer, std::size_t bytes) const {
  if (!contains(pointer)) return false;
  const auto at = static_cast<std::size_t>(static_cast<const unsigned char*>(pointer) - base_);
  auto next = allocations_.upper_bound(at);
  if (next == allocations_.begin()) return false;
  const auto [offset, size] = *std::prev(next);
  return at - offset <= size && bytes <= size - (at - offset);
}

void Arena::protect(bool accessible) {
  const std::size_t length = round_up(top_, kPage) - kStart;
  if (length == 0) return;
  if (mprotect(base_ + kStart, length, accessible ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) {
    fail("cannot change the protection of device memory");
  }
}

}  // namespace emulator

#pragma once
// Counts what a program takes from the heap. For one file of an executable: it replaces operator new for all of them
// (not inlined: the compiler would see new meet free; without throwing too, which sanitizers replace by itself).
#include <atomic>
#include <cstdlib>
#include <new>

namespace nucdet_test {

inline std::atomic<long> heap_allocations{0};

/// How often work() asks the heap, on any thread.
template <class Work>
long heap_allocations_of(const Work& work) {
  const long before = heap_allocations;
  work();
  return heap_allocations - before;
}

}  // namespace nucdet_test

[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++nucdet_test::heap_allocations;
  return std::malloc(bytes > 0 ? bytes : 1);
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (void* const memory = operator new(bytes, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++nucdet_test::heap_allocations;
  const std::size_t unit = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

// Where tensors' memory comes from: how much of it, of addresses, and of the heap.
#include <array>
#include <fstream>
#include <memory_resource>
#include <string>

#include "nucdet/core/context.hpp"

#include "support/catch.hpp"
#include "support/heap_count.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr std::size_t kMega = std::size_t{1} << 20;

/// The program's addresses, in bytes.
std::size_t addresses() {
  std::ifstream status("/proc/self/status");
  std::size_t kilobytes = 0;
  for (std::string word; status >> word;)
    if (word == "VmSize:") status >> kilobytes;
  return kilobytes << 10;
}

/// A host program's memory that looks at what it is asked for.
class Counting : public std::pmr::memory_resource {
 public:
  std::size_t in_use = 0, taken = 0, least_alignment = 1 << 20;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    in_use += bytes, ++taken, least_alignment = std::min(least_alignment, alignment);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    in_use -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

TEST_CASE("a pool has at most 544 MiB of addresses more than of memory") {
  const std::size_t before = addresses();
  {
    MemoryPool pool;
    const auto more = [&] { return addresses() - before; };
    for (const std::size_t size : {std::size_t{1}, 100 * kMega, 500 * kMega, 900 * kMega, 1500 * kMega}) {
      const auto block = pool.allocate(size);
      block.get()[size - 1] = std::byte{1};  // the last page alone is touched
      CHECK(more() <= pool.statistics().held + 544 * kMega + kMega);
    }
    std::vector<MemoryPool::Block> blocks;
    for (int i = 0; i < 30; ++i) {
      blocks.push_back(pool.allocate(70 * kMega));
      CHECK(more() <= pool.statistics().held + 544 * kMega + kMega);
    }
    blocks.clear();
    pool.trim();
    CHECK(pool.statistics().held == 0);
    CHECK(more() <= 545 * kMega);
  }
  CHECK(addresses() <= before + kMega);
}

TEST_CASE("where the addresses behind a pool are taken, it goes on elsewhere") {
  MemoryPool pool;
  auto first = pool.allocate(200 * kMega);
  std::byte* const behind = first.get() + detail::AddressRange::kReserved;
  void* const wall = mmap(behind, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(wall == behind);
  const std::size_t before = addresses();
  const auto second = pool.allocate(400 * kMega), third = pool.allocate(600 * kMega);
  CHECK(pool.statistics().held == 1200 * kMega);
  CHECK(addresses() + 300 * kMega <= before + (400 + 600 + 544) * kMega);  // what the first had in reserve is gone
  const std::byte* const at = first.get();
  first.reset();
  CHECK(pool.allocate(150 * kMega).get() == at);  // lowest first, over all ranges
  for (const auto& block : {second, third}) block.get()[400 * kMega - 1] = std::byte{1};
  munmap(wall, 4096);
}

TEST_CASE("what was asked for before is had without the heap") {
  Context<Cpu> context({.threads = 2});
  const auto pass = [&] {
    std::array<Tensor<Cpu>, 6> maps;
    for (std::size_t i = 0; i < maps.size(); ++i) maps[i] = context.make({1, 20, 30, static_cast<Index>(8 * i + 8)});
    maps[1] = {}, maps[4] = {};
    maps[1] = context.zeros({1, 7, 7, 3});
    const auto scratch = context.scratch<float>(1000);
    const DeviceArray<double, Cpu> sums(context, 33);
    const Tensor<Cpu> part = maps[0].channels(1, 2);
    context.run(64, [&](Index chunk, int worker) { scratch[worker][chunk] = 1; });
  };
  pass();
  CHECK(heap_allocations_of([&] {
          for (int i = 0; i < 20; ++i) pass();
        }) == 0);
  CHECK(heap_allocations_of([] { const std::vector<int> some(3); }) == 1);  // the count counts
}

TEST_CASE("a host program's memory resource makes tensors and scratch, and has all of it back") {
  Counting memory;
  {
    Context<Cpu> context({.threads = 2, .memory = &memory});
    {
      const auto a = context.make({1, 3, 5, 7});
      const auto scratch = context.scratch<float>(10);
      CHECK(reinterpret_cast<std::uintptr_t>(a.memory()) % 64 == 0);
      CHECK(memory.taken == 2);
      CHECK(memory.in_use == context.memory().statistics().in_use);
      CHECK(memory.least_alignment == HostMemory::kAlignment);
    }
    CHECK(memory.in_use == 0);  // at once: what is kept is the resource's own affair
    CHECK(context.memory().statistics().held == 0);
  }
  std::pmr::monotonic_buffer_resource buffer;
  Context<Cpu> context({.threads = 1, .memory = &buffer});
  const auto a = context.zeros({1, 2, 2, 2}), b = context.zeros({1, 2, 2, 2});
  CHECK(a.memory() != b.memory());
  Context<Cpu> none({.threads = 1, .memory = static_cast<std::pmr::memory_resource*>(nullptr)});
  CHECK(none.make({1, 1, 1, 1}));
}

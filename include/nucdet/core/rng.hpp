#pragma once
#include <cmath>
#include <cstdint>

#include "nucdet/core/shape.hpp"

namespace nucdet {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator.
///
/// The value at a counter depends on (seed, stream, counter) only, so that numbers can be drawn in any order, on any
/// number of threads and on either device, and drawn again in the backward pass instead of being stored. Thread-safe.
struct Philox {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  struct Words {
    std::uint32_t word[4];
  };

  NUCDET_HD constexpr Words block(std::uint64_t counter) const {
    std::uint32_t c0 = low(counter), c1 = high(counter), c2 = low(stream), c3 = high(stream);
    std::uint32_t k0 = low(seed), k1 = high(seed);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      const std::uint32_t n0 = high(p1) ^ c1 ^ k0, n2 = high(p0) ^ c3 ^ k1;
      c1 = low(p1), c3 = low(p0), c0 = n0, c2 = n2;
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
  }

  /// Uniform in [0, 1), a multiple of 2^-24, so that it is exact in float.
  NUCDET_HD constexpr float uniform(std::uint64_t counter) const {
    return static_cast<float>(block(counter / 4).word[counter % 4] >> 8) * 0x1p-24f;
  }

 private:
  NUCDET_HD static constexpr std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
  NUCDET_HD static constexpr std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }
};

/// Draws one number after another from one Philox stream. Three integers are its whole state: copy them to resume.
/// One thread at a time.
struct RandomStream {
  std::uint64_t seed = 0, stream = 0, position = 0;

  /// 53 random bits in [0, 1).
  double uniform() {
    const Philox::Words r = Philox{seed, stream}.block(position++);
    return (static_cast<double>(r.word[0] >> 5) * 67108864.0 + static_cast<double>(r.word[1] >> 6)) * 0x1p-53;
  }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  /// An integer in [0, count).
  Index below(Index count) {
    const Index value = static_cast<Index>(uniform() * static_cast<double>(count));
    return value < count ? value : count - 1;
  }
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal (Box and Muller), one block a number.
  double normal() {
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
};

/// Puts a list in an order drawn from the stream (Fisher and Yates).
template <class List>
void shuffle(List& list, RandomStream& random) {
  for (std::size_t i = list.size(); i > 1; --i)
    std::swap(list[i - 1], list[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
}

}  // namespace nucdet

#pragma once
/// What this machine can do at most, measured in the process that reads its rows against it.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace nucdet_bench {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Floats in a register of the instruction set that this file is compiled for.
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

/// Runs body(worker) on `threads` threads at once and returns the seconds until the last has ended.
template <class Body>
double timed_on(int threads, const Body& body) {
  std::vector<std::thread> team;
  const auto start = std::chrono::steady_clock::now();
  for (int worker = 1; worker < threads; ++worker) team.emplace_back([&body, worker] { body(worker); });
  body(0);
  for (std::thread& thread : team) thread.join();
  return seconds_since(start);
}

/// Multiply-adds in 12 independent chains of full registers, more than latency times issue width of x86 cores so far.
class MultiplyAdd {
 public:
  /// Floating point operations of one run.
  static constexpr double flop(int threads) { return 2.0 * kChains * kLanes * static_cast<double>(kRounds) * threads; }
  /// Seconds of one run, about 0.02.
  static double run(int threads) {
    return timed_on(threads, [](int) { work(); });
  }

 private:
  static constexpr int kChains = 12;
  static constexpr long kRounds = 12'000'000;

  static void work() {
    typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
    Lanes chain[kChains] = {}, factor = Lanes{} + 0.999f, term = Lanes{} + 0.001f;
    // Values that the compiler cannot see through: it would merge equal chains.
    asm volatile("" : "+x"(factor), "+x"(term));
    for (Lanes& value : chain) asm volatile("" : "+x"(value));
    for (long round = 0; round < kRounds; ++round)
      for (Lanes& value : chain) value = value * factor + term;
    for (Lanes& value : chain) asm volatile("" ::"x"(value));
  }
};

/// Copies 128 MiB, more than all but the largest caches hold.
class Copy {
 public:
  Copy() : from_(new char[kBytes]), to_(new char[kBytes]) {
    std::memset(from_.get(), 1, kBytes);
    std::memset(to_.get(), 0, kBytes);
  }
  /// Bytes read and written by one run.
  static constexpr double bytes() { return 2.0 * static_cast<double>(kBytes); }
  /// Seconds of one run.
  double run(int threads) const {
    const auto team = static_cast<std::size_t>(threads);
    return timed_on(threads, [&](int worker) {
      const std::size_t first = kBytes / team * static_cast<std::size_t>(worker);
      const std::size_t last = worker + 1 == threads ? kBytes : first + kBytes / team;
      std::memcpy(to_.get() + first, from_.get() + first, last - first);
    });
  }

 private:
  static constexpr std::size_t kBytes = std::size_t{128} << 20;
  std::unique_ptr<char[]> from_, to_;
};

}  // namespace nucdet_bench

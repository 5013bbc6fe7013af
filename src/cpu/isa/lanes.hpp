#pragma once
#include <cstring>

#include "cpu/isa.hpp"

namespace NUCDET_ISA {

using nucdet::cpu::Index;

inline constexpr int kLanes = NUCDET_ISA_LANES;
inline constexpr int kPanel = 2 * kLanes;

/// A register of floats, by the vector extension that gcc and clang share.
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
/// The same anywhere in memory.
typedef float Unaligned __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

/// Before a loop of which no turn reads what another writes. Clang, which takes such a promise for an order, finds out.
#ifdef __clang__
#define NUCDET_INDEPENDENT
#else
#define NUCDET_INDEPENDENT _Pragma("GCC ivdep")
#endif

[[gnu::always_inline]] inline Lanes load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
[[gnu::always_inline]] inline void store(float* p, Lanes v) { *reinterpret_cast<Unaligned*>(p) = v; }

/// a in every lane. x - 0 is x for every x, which x + 0 is not: it costs no instruction.
[[gnu::always_inline]] inline Lanes broadcast(float a) { return a - Lanes{}; }

/// sum += a b. Spelt out where a compiler left alone folds the load of b into every one of a column's products, or
/// spills the sums: both cost a third of the speed.
[[gnu::always_inline]] inline void multiply_add(Lanes& sum, float a, Lanes b) {
  const Lanes factor = broadcast(a);
#if defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(factor), "v"(b));
#elif defined(__FMA__)
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(factor), "x"(b));
#else
  sum += factor * b;
#endif
}

}  // namespace NUCDET_ISA

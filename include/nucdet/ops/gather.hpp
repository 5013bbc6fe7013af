#pragma once
#include <type_traits>

#include "nucdet/core/half.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet::ops::detail {

/// out[c] = sum of weight * p[c] over the terms, for channels [c0, c1): visit(add) calls add(weight, p) for each.
/// The CPU goes through the channels inside each term, which compilers make vectors of; where there are few, as a GPU
/// thread has, each channel is summed by itself, and so are 16-bit sums, which must not be rounded on the way.
template <class T, class Visit>
NUCDET_HD void gather_channels(T* out, Index c0, Index c1, const Visit& visit) {
  using C = compute_t<T>;
#if !defined(__CUDA_ARCH__)
  constexpr Index kFew = 2;
  if constexpr (std::is_same_v<T, C>) {
    if (c1 - c0 > kFew) {
      for (Index c = c0; c < c1; ++c) out[c] = C(0);
      visit([=](C weight, const T* p) {
        for (Index c = c0; c < c1; ++c) out[c] += weight * p[c];
      });
      return;
    }
  }
#endif
  for (Index c = c0; c < c1; ++c) {
    C sum = 0;
    visit([&sum, c](C weight, const T* p) { sum += weight * static_cast<C>(p[c]); });
    out[c] = static_cast<T>(sum);
  }
}

}  // namespace nucdet::ops::detail

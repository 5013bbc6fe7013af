#pragma once
#include <span>

#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/optim/segment.hpp"

namespace nucdet::optim {

namespace detail {

struct MoveAverage {
  float* mean;
  const float* now;
  Index size;
  float share;

  NUCDET_HD void operator()(const exec::Tile& tile) const {
    const FlatRange range(tile, size);
    for (Index i = range.from; i < range.to; ++i) mean[i] += share * (now[i] - mean[i]);
  }
};

struct Exchange {
  float *a, *b;
  Index size;

  NUCDET_HD void operator()(const exec::Tile& tile) const {
    const FlatRange range(tile, size);
    for (Index i = range.from; i < range.to; ++i) {
      const float kept = a[i];
      a[i] = b[i], b[i] = kept;
    }
  }
};

inline void check_sizes(const char* where, std::size_t a, std::size_t b) {
  if (a != b) throw ShapeError(message(where, ": ", a, " numbers and ", b, ", wanted as many"));
}

}  // namespace detail

/// mean += share (now - mean), element by element: an exponential moving average with decay 1 - share. Both lie in the
/// device's memory. Throws ShapeError.
template <class D>
void move_average(Context<D>& context, std::span<float> mean, std::span<const float> now, double share) {
  detail::check_sizes("move_average", mean.size(), now.size());
  exec::parallel_for(
      context, detail::blocks(mean.size()),
      detail::MoveAverage{mean.data(), now.data(), static_cast<Index>(mean.size()), static_cast<float>(share)});
}

/// The numbers of a become those of b and the other way round. Throws ShapeError.
template <class D>
void exchange(Context<D>& context, std::span<float> a, std::span<float> b) {
  detail::check_sizes("exchange", a.size(), b.size());
  exec::parallel_for(context, detail::blocks(a.size()),
                     detail::Exchange{a.data(), b.data(), static_cast<Index>(a.size())});
}

}  // namespace nucdet::optim

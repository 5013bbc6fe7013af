#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/exec/reduce.hpp"
#include "nucdet/optim/segment.hpp"

namespace nucdet::optim {

namespace detail {

/// A flat array in blocks, and the segments that count.
template <class T>
struct Flat {
  T* data;
  Index size;
  const Segment* segments;
  Index segment_count;

  template <class Visit>
  NUCDET_HD void each(const Tile& tile, const Visit& visit) const {
    const Index from = tile.y * kBlock, to = from + kBlock < size ? from + kBlock : size;
    for_each_part(segments, segment_count, from, to, visit);
  }
};

struct SquaredNorm {
  Flat<const float> flat;
  NUCDET_HD void operator()(const Tile& tile, double* sums) const { flat.each(tile, Part{flat.data, sums}); }

  struct Part {
    const float* data;
    double* sums;
    NUCDET_HD void operator()(const Segment&, Index from, Index to) const {
      double sum = 0;
      for (Index i = from; i < to; ++i) sum += static_cast<double>(data[i]) * static_cast<double>(data[i]);
      sums[0] += sum;
    }
  };
};

struct Scale {
  Flat<float> flat;
  float factor;
  NUCDET_HD void operator()(const Tile& tile) const { flat.each(tile, Part{flat.data, factor}); }

  struct Part {
    float* data;
    float factor;
    NUCDET_HD void operator()(const Segment&, Index from, Index to) const {
      for (Index i = from; i < to; ++i) data[i] *= factor;
    }
  };
};

struct Clamp {
  Flat<float> flat;
  float limit;
  NUCDET_HD void operator()(const Tile& tile) const { flat.each(tile, Part{flat.data, limit}); }

  struct Part {
    float* data;
    float limit;
    NUCDET_HD void operator()(const Segment&, Index from, Index to) const {
      for (Index i = from; i < to; ++i) data[i] = data[i] > limit ? limit : data[i] < -limit ? -limit : data[i];
    }
  };
};

inline void check_limit(const char* where, double limit) {
  if (!(limit > 0 && std::isfinite(limit)))
    throw ArgumentError(message(where, ": limit is ", limit, ", must be finite and > 0"));
}

}  // namespace detail

/// Euclidean norm of the gradients that are not frozen, summed in double and in a fixed order.
inline double gradient_norm(Context<Cpu>& context, std::span<const float> gradients,
                            std::span<const Segment> segments = {}) {
  const std::vector<Segment> parts = detail::checked("optim::gradient_norm", segments, gradients.size());
  double sum = 0;
  reduce_rows<1>(context, detail::blocks(gradients.size()),
                 detail::SquaredNorm{{gradients.data(), static_cast<Index>(gradients.size()), parts.data(),
                                      static_cast<Index>(parts.size())}},
                 &sum);
  return std::sqrt(sum);
}

/// Scales the gradients by limit / norm where their norm exceeds the limit, and returns the norm they had. (PyTorch
/// divides by norm + 1e-6.) A norm that is not finite is returned and nothing is scaled: the caller decides.
/// Frozen gradients neither count nor change. Throws ArgumentError unless limit is finite and > 0.
inline double clip_norm(Context<Cpu>& context, std::span<float> gradients, double limit,
                        std::span<const Segment> segments = {}) {
  detail::check_limit("optim::clip_norm", limit);
  const double norm = gradient_norm(context, gradients, segments);
  if (!std::isfinite(norm) || norm <= limit) return norm;
  const std::vector<Segment> parts = detail::checked("optim::clip_norm", segments, gradients.size());
  parallel_for(context, detail::blocks(gradients.size()),
               detail::Scale{{gradients.data(), static_cast<Index>(gradients.size()), parts.data(),
                              static_cast<Index>(parts.size())},
                             static_cast<float>(limit / norm)});
  return norm;
}

/// Brings each gradient into [-limit, limit]; a NaN stays one. Frozen gradients do not change.
/// Throws ArgumentError unless limit is finite and > 0.
inline void clip_value(Context<Cpu>& context, std::span<float> gradients, double limit,
                       std::span<const Segment> segments = {}) {
  detail::check_limit("optim::clip_value", limit);
  const std::vector<Segment> parts = detail::checked("optim::clip_value", segments, gradients.size());
  parallel_for(context, detail::blocks(gradients.size()),
               detail::Clamp{{gradients.data(), static_cast<Index>(gradients.size()), parts.data(),
                              static_cast<Index>(parts.size())},
                             static_cast<float>(limit)});
}

}  // namespace nucdet::optim

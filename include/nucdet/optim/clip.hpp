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
  NUCDET_HD void each(const exec::Tile& tile, const Visit& visit) const {
    const FlatRange range(tile, size);
    for_each_part(segments, segment_count, range.from, range.to, visit);
  }
};

template <class T, class D>
Flat<T> flat(std::span<T> gradients, const SegmentList<D>& segments) {
  if (segments.size() != gradients.size())
    throw ShapeError(message("optim: segments of ", segments.size(), " gradients, there are ", gradients.size()));
  return {gradients.data(), static_cast<Index>(gradients.size()), segments.data(), segments.count()};
}

struct SquaredNorm {
  Flat<const float> flat;
  NUCDET_HD void operator()(const exec::Tile& tile, double* sums) const { flat.each(tile, Part{flat.data, sums}); }

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
  NUCDET_HD void operator()(const exec::Tile& tile) const { flat.each(tile, Part{flat.data, factor}); }

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
  NUCDET_HD void operator()(const exec::Tile& tile) const { flat.each(tile, Part{flat.data, limit}); }

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

/// The sum of the squared gradients that are not frozen, in double and in a fixed order, to *sum in the device's
/// memory.
template <class D>
void squared_norm_into(Context<D>& context, std::span<const float> gradients, const SegmentList<D>& segments,
                       double* sum) {
  exec::reduce_rows<1>(context, detail::blocks(gradients.size()),
                       detail::SquaredNorm{detail::flat<const float>(gradients, segments)}, sum);
}

/// Euclidean norm of the gradients that are not frozen, summed in double and in a fixed order.
template <class D>
double gradient_norm(Context<D>& context, std::span<const float> gradients, const SegmentList<D>& segments) {
  const DeviceArray<double, D> sum(context, 1);
  squared_norm_into(context, gradients, segments, sum.data());
  return std::sqrt(sum.read(context)[0]);
}
template <class D>
double gradient_norm(Context<D>& context, std::span<const float> gradients, std::span<const Segment> segments = {}) {
  return gradient_norm(context, gradients, SegmentList<D>(context, segments, gradients.size()));
}

/// Scales the gradients, whose norm is given, by limit / norm where the norm exceeds the limit. With a norm that is not
/// finite nothing is scaled: the caller decides. Throws ArgumentError unless limit is finite and > 0.
template <class D>
void limit_norm(Context<D>& context, std::span<float> gradients, double norm, double limit,
                const SegmentList<D>& segments) {
  detail::check_limit("optim::limit_norm", limit);
  if (!std::isfinite(norm) || norm <= limit) return;
  exec::parallel_for(context, detail::blocks(gradients.size()),
                     detail::Scale{detail::flat<float>(gradients, segments), static_cast<float>(limit / norm)});
}

/// Scales the gradients by limit / norm where their norm exceeds the limit, and returns the norm they had. (PyTorch
/// divides by norm + 1e-6.) Frozen gradients neither count nor change.
template <class D>
double clip_norm(Context<D>& context, std::span<float> gradients, double limit,
                 std::span<const Segment> segments = {}) {
  detail::check_limit("optim::clip_norm", limit);
  const SegmentList<D> list(context, segments, gradients.size());
  const double norm = gradient_norm(context, std::span<const float>(gradients), list);
  limit_norm(context, gradients, norm, limit, list);
  return norm;
}

/// Brings each gradient into [-limit, limit]; a NaN stays one. Frozen gradients do not change.
/// Throws ArgumentError unless limit is finite and > 0.
template <class D>
void clip_value(Context<D>& context, std::span<float> gradients, double limit, std::span<const Segment> segments = {}) {
  detail::check_limit("optim::clip_value", limit);
  const SegmentList<D> list(context, segments, gradients.size());
  exec::parallel_for(context, detail::blocks(gradients.size()),
                     detail::Clamp{detail::flat<float>(gradients, list), static_cast<float>(limit)});
}

}  // namespace nucdet::optim

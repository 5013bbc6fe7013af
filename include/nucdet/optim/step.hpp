#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/optim/segment.hpp"

namespace nucdet::optim {

/// An optimiser: settings, and the update of one weight.
///
///   static constexpr int states;          ///< numbers kept a weight, all 0 before the first step
///   void check() const;                   ///< throws ArgumentError for settings out of range
///   Update update(double rate, std::int64_t iteration, bool decay) const;  ///< the step's constants
///   NUCDET_HD void Update::operator()(float* value, float gradient, float* state, Index stride) const;
///
/// The update's k-th number is state[k * stride]. iteration counts from 0.
template <class R>
concept StepRule = requires(const R& rule, float* value, float gradient, float* state) {
  { R::states } -> std::convertible_to<int>;
  rule.check();
  rule.update(0.1, std::int64_t{0}, true)(value, gradient, state, Index{1});
}
&&std::is_trivially_copyable_v<R>;

namespace detail {

template <class Update>
struct StepKernel {
  Update decaying, plain;
  float* values;
  const float* gradients;
  float* state;
  Index size;
  const Segment* segments;
  Index segment_count;

  NUCDET_HD void operator()(const exec::Tile& tile) const {
    const FlatRange range(tile, size);
    for_each_part(segments, segment_count, range.from, range.to, Part{*this});
  }

 private:
  struct Part {
    const StepKernel& kernel;
    NUCDET_HD void operator()(const Segment& segment, Index from, Index to) const {
      const Update update = segment.decay ? kernel.decaying : kernel.plain;
      float *const w = kernel.values, *const kept = kernel.state;
      const float* const g = kernel.gradients;
      const Index stride = kernel.size;
      for (Index i = from; i < to; ++i) update(w + i, g[i], kept + i, stride);
    }
  };
};

}  // namespace detail

/// One step of an optimiser over the flat store, in place.
///
/// values, gradients: n weights; state: rule.states * n numbers, the k-th of weight i at [k * n + i], zero before the
/// first step; all in the device's memory. rate: the learning rate, >= 0. iteration: steps taken before this one.
/// segments: which weights decay and which are frozen; weights in none of them are left alone. Frozen weights and their
/// state keep every bit. Each weight is its own; the number of threads does not matter. Throws ShapeError and
/// ArgumentError.
template <StepRule Rule, class D>
void step(Context<D>& context, const Rule& rule, double rate, std::int64_t iteration, std::span<float> values,
          std::span<const float> gradients, std::span<float> state, const SegmentList<D>& segments) {
  rule.check();
  if (!(rate >= 0 && std::isfinite(rate)))
    throw ArgumentError(message("optim::step: learning rate is ", rate, ", must be finite and >= 0"));
  if (iteration < 0) throw ArgumentError(message("optim::step: iteration is ", iteration, ", must be >= 0"));
  const std::size_t n = values.size(), wanted = n * static_cast<std::size_t>(Rule::states);
  if (gradients.size() != n || segments.size() != n)
    throw ShapeError(
        message("optim::step: ", gradients.size(), " gradients for ", n, " weights, segments of ", segments.size()));
  if (state.size() != wanted)
    throw ShapeError(message("optim::step: state has ", state.size(), " numbers, must have ", wanted));
  const detail::StepKernel<decltype(rule.update(rate, iteration, true))> kernel{rule.update(rate, iteration, true),
                                                                                rule.update(rate, iteration, false),
                                                                                values.data(),
                                                                                gradients.data(),
                                                                                state.data(),
                                                                                static_cast<Index>(n),
                                                                                segments.data(),
                                                                                segments.count()};
  exec::parallel_for(context, detail::blocks(n), kernel);
}

/// The same with segments on the host, in order of their offsets; none at all means everything moves and decays.
template <StepRule Rule, class D>
void step(Context<D>& context, const Rule& rule, double rate, std::int64_t iteration, std::span<float> values,
          std::span<const float> gradients, std::span<float> state, std::span<const Segment> segments = {}) {
  step(context, rule, rate, iteration, values, gradients, state, SegmentList<D>(context, segments, values.size()));
}

}  // namespace nucdet::optim

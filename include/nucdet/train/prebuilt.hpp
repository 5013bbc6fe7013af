#pragma once
/// What most trainings on the CPU have in common, ready-made in nucdet::cpu: the paper's label and loss, the
/// optimisers, the search for thresholds. See nn/prebuilt.hpp.
#include "nucdet/core/config.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/optim/clip.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"
#include "nucdet/train/average.hpp"
#include "nucdet/train/thresholds.hpp"

#ifdef NUCDET_PREBUILT

namespace nucdet::label {
NUCDET_PREBUILT_CPU void render(Context<Cpu>&, const ProximityMap&, std::span<const Point>, View<float>);
NUCDET_PREBUILT_CPU void render_batch(Context<Cpu>&, const ProximityMap&, std::span<const AnnotatedPoints>,
                                      View<float>);
}  // namespace nucdet::label

namespace nucdet::loss {
NUCDET_PREBUILT_CPU void evaluate_into<float>(Context<Cpu>&, const WeightedSquaredError&, View<const float>,
                                              View<const float>, const float*, View<float>, double*, View<const float>);
NUCDET_PREBUILT_CPU double evaluate<float>(Context<Cpu>&, const WeightedSquaredError&, View<const float>,
                                           View<const float>, std::span<const float>, View<float>, View<const float>);
}  // namespace nucdet::loss

namespace nucdet::optim {
NUCDET_PREBUILT_CPU void step(Context<Cpu>&, const Adam&, double, std::int64_t, std::span<float>,
                              std::span<const float>, std::span<float>, const SegmentList<Cpu>&);
NUCDET_PREBUILT_CPU void step(Context<Cpu>&, const Sgd&, double, std::int64_t, std::span<float>, std::span<const float>,
                              std::span<float>, const SegmentList<Cpu>&);
NUCDET_PREBUILT_CPU void squared_norm_into(Context<Cpu>&, std::span<const float>, const SegmentList<Cpu>&, double*);
NUCDET_PREBUILT_CPU void limit_norm(Context<Cpu>&, std::span<float>, double, double, const SegmentList<Cpu>&);
NUCDET_PREBUILT_CPU void move_average(Context<Cpu>&, std::span<float>, std::span<const float>, double);
NUCDET_PREBUILT_CPU void exchange(Context<Cpu>&, std::span<float>, std::span<float>);
}  // namespace nucdet::optim

namespace nucdet::train {
NUCDET_PREBUILT_CPU ThresholdChoice score_sets(const FoundInSets&, double, double, const match::HungarianMatcher&);
NUCDET_PREBUILT_CPU ThresholdChoice choose_thresholds(const FoundInSets&, const ThresholdSearch&,
                                                      const match::HungarianMatcher&);
}  // namespace nucdet::train

#endif

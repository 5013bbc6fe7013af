#pragma once
#include "nucdet/detect/detector.hpp"
#include "nucdet/label/render.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

/// The validation loss over whole images, and the relative threshold of highest F1 (Hungarian matching within 16
/// reference pixels) with that F1. Images are reflected to a multiple of 16; the loss counts their own pixels.
template <class Loss, class Profile>
Validation validate(const nn::Model<Cpu>& model, const Loss& loss, const Profile& profile, const data::Dataset& dataset,
                    detect::LocalMaxima peaks = {}) {
  if (dataset.empty()) throw ArgumentError("validate: the validation set is empty");
  Context<Cpu>& context = model.context();
  const Index maps = loss.target_maps(model.out_channels());
  const detect::Detector detector(model, peaks);
  double sum = 0;
  std::vector<metrics::Candidates> images;
  for (const data::Sample& sample : dataset) {
    const View<const float> view = view_of(sample.image);
    const Tensor<Cpu> response = detector.response(view, sample.statistics, {0, 0, view.shape.w, view.shape.h});
    Tensor<Cpu> labels = context.make({1, view.shape.h, view.shape.w, maps});
    for (Index map = 0; map < maps; ++map)
      label::render(context, profile, sample.points, labels.view<float>().channels(map, 1));
    sum +=
        loss::evaluate<float>(context, loss, response.view<const float>(), std::as_const(labels).view<const float>());
    images.push_back({detect::find_peaks(context, response.view<const float>(), peaks), sample.points});
  }
  const auto curve = metrics::precision_recall(match::HungarianMatcher{}, images, metrics::default_thresholds());
  const metrics::CurvePoint best = metrics::best_of(curve);
  return {.loss = sum / static_cast<double>(dataset.size()), .f1 = best.score.f1(), .xi = best.xi};
}

}  // namespace nucdet::train

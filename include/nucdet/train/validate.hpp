#pragma once
#include "nucdet/detect/detector.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/train/state.hpp"

namespace nucdet::train {

namespace detail {

/// The pair of thresholds with the highest F1. The relative one alone finds nuclei where there are none: in an image
/// without any, a fraction of the highest response is low. Floors are tried in multiples of the least, `absolute`,
/// which is 4 % of the label's full scale: up to half of it.
inline metrics::CurvePoint best_thresholds(const std::vector<metrics::Candidates>& images, double absolute) {
  std::vector<metrics::CurvePoint> tried;
  for (const double multiple : {1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0}) {
    const auto curve = metrics::precision_recall(match::HungarianMatcher{}, images, metrics::default_thresholds(),
                                                 multiple * absolute);
    tried.insert(tried.end(), curve.begin(), curve.end());
  }
  return metrics::best_of(tried);
}

}  // namespace detail

/// The validation loss over whole images, and the thresholds, relative and absolute, of highest F1 (Hungarian matching
/// within 16 reference pixels) with that F1. Images are reflected to a multiple of the network's stride; the loss
/// counts their own pixels. peaks.absolute is the lowest floor that is tried.
template <class Loss, class Profile, class Device>
Validation validate(const nn::Model<Device>& model, const Loss& loss, const Profile& profile,
                    const data::Dataset& dataset, detect::LocalMaxima peaks = {}) {
  if (dataset.empty()) throw ArgumentError("validate: the validation set is empty");
  Context<Device>& context = model.context();
  const Index maps = loss.target_maps(model.out_channels());
  const detect::Detector detector(model, peaks);
  double sum = 0;
  std::vector<metrics::Candidates> images;
  for (const data::Sample& sample : dataset) {
    const View<const float> view = view_of(sample.image);
    const Tensor<Device> response = detector.response(view, sample.statistics, {0, 0, view.shape.w, view.shape.h});
    Tensor<Device> labels = context.make({1, view.shape.h, view.shape.w, maps});
    label::render_batch(context, profile, std::span(&sample.points, 1), labels.template view<float>());
    sum += loss::evaluate<float>(context, loss, response.template view<const float>(),
                                 std::as_const(labels).template view<const float>());
    const Tensor<Device> map = detect::nucleus_map(context, response);
    images.push_back({detect::find_peaks(context, map.template view<const float>(), peaks), sample.points});
  }
  const metrics::CurvePoint best = detail::best_thresholds(images, static_cast<double>(peaks.absolute));
  return {.loss = sum / static_cast<double>(dataset.size()), .f1 = best.score.f1(), .xi = best.xi, .floor = best.floor};
}

}  // namespace nucdet::train

#pragma once
#include "nucdet/data/dataset.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/train/state.hpp"
#include "nucdet/train/thresholds.hpp"

namespace nucdet::train {

/// The validation loss over whole images, and the thresholds of highest F1 on the mean of the data sets, with F1 of
/// each. Images are reflected to a multiple of the network's stride; the loss counts their own pixels. Throws
/// ArgumentError for an empty data set or one without a single nucleus.
template <class Loss, class Profile, class Device>
Validation validate(const nn::Model<Device>& model, const Loss& loss, const Profile& profile,
                    const data::Dataset& dataset, const ThresholdSearch& search = {}) {
  if (dataset.empty()) throw ArgumentError("validate: the validation set is empty");
  if (std::all_of(dataset.begin(), dataset.end(), [](const data::Sample& s) { return s.points.empty(); }))
    throw ArgumentError("validate: the validation set has no nuclei at all, there is nothing to choose weights by");
  Context<Device>& context = model.context();
  const Index maps = loss.target_maps(model.out_channels());
  detect::LocalMaxima peaks = search.peaks;
  peaks.absolute = std::min(peaks.absolute, kLeastThreshold * search.peaks.full_scale);
  const detect::Detector detector(model, peaks);
  double sum = 0;
  FoundInSets found;
  for (const data::Sample& sample : dataset) {
    const View<const float> view = view_of(sample.image);
    const auto outputs = detector.on_tiles().outputs(view, sample.statistics, {0, 0, view.shape.w, view.shape.h});
    const Tensor<Device>& response = outputs.front();
    const AnnotatedPoints nuclei{sample.points, sample.classes};
    Tensor<Device> labels = context.make({1, view.shape.h, view.shape.w, maps});
    label::render_batch(context, profile, std::span(&nuclei, 1), labels.template view<float>());
    sum += loss::evaluate<float>(context, loss, response.template view<const float>(),
                                 std::as_const(labels).template view<const float>());
    const Tensor<Device> map = detector.on_tiles().maps_of(outputs).map;
    found[sample.set].push_back({detect::find_peaks(context, map.template view<const float>(), peaks), sample.points});
  }
  const ThresholdChoice best = choose_thresholds(found, search);
  return {.loss = sum / static_cast<double>(dataset.size()),
          .f1 = best.mean_f1,
          .worst = best.worst_f1,
          .xi = best.xi,
          .floor = best.floor,
          .sets = best.sets};
}

}  // namespace nucdet::train

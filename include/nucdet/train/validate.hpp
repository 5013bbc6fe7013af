#pragma once
#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

#include "nucdet/core/config.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/data/dataset.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/metrics/class_score.hpp"
#include "nucdet/train/looks.hpp"
#include "nucdet/train/reducer.hpp"
#include "nucdet/train/state.hpp"
#include "nucdet/train/task.hpp"
#include "nucdet/train/thresholds.hpp"

namespace nucdet::train {

namespace detail {

/// Where the labels of an image count, for a map of it; without data: everywhere. size: of what the map is of.
template <class Device>
Tensor<Device> mask_of(Context<Device>& context, const data::CountedPixels& counted, const Shape& size, Shape map) {
  map.c = 1;
  if (counted.everywhere()) return {};
  Tensor<Cpu> mask = context.host().make(map);
  data::draw_counted(
      counted, size, [](Point p) { return p; }, mask.view<float>());
  return to_device(context, std::as_const(mask).template view<const float>());
}

/// The sum of the tasks' losses on a whole image. padded: the size that the network saw.
template <class Device, class Tasks, std::size_t Count>
double loss_of(Context<Device>& context, const Tasks& tasks, const std::array<std::size_t, Count>& outputs_of_tasks,
               const std::vector<Tensor<Device>>& outputs, const Shape& image, const Shape& padded,
               const data::Sample& sample) {
  double sum = 0;
  for_each_task(tasks, [&](const auto& task, std::size_t i) {
    const Tensor<Device>& output = outputs[outputs_of_tasks[i]];
    Shape map = output.shape();
    map.c = task.loss.target_maps(static_cast<int>(map.c));
    Tensor<Device> labels = context.make(map);
    const bool cut = map.h == image.h && map.w == image.w;  // see NetworkOnTiles::outputs
    const AnnotatedPoints shown = in_pixels_of({sample.points, sample.classes}, cut ? image : padded, map);
    const Tensor<Device> mask = mask_of(context, sample.counted, cut ? image : padded, map);
    draw_labels(context, task.label, std::span<const AnnotatedPoints>(&shown, 1), labels.template view<float>());
    sum += task.weight * loss::evaluate<float>(context, task.loss, output.template view<const float>(),
                                               std::as_const(labels).template view<const float>(), {}, {},
                                               mask ? mask.template view<const float>() : View<const float>());
  });
  return sum;
}

/// How well the classes of what is found above the thresholds are told apart, over all sets.
template <class M>
double class_f1(const FoundInSets& found, const ThresholdChoice& at, int classes, const M& matcher) {
  if (classes == 0) return -1;
  metrics::ClassScore score(classes);
  for (const auto& [name, images] : found)
    for (const metrics::Candidates& image : images) score.add(metrics::match_above(matcher, image, at.xi, at.floor));
  return score.mean_f1();
}

void check_validation_set(const data::Dataset& dataset, bool wants_nuclei);

#ifdef NUCDET_INLINE

NUCDET_INLINE void check_validation_set(const data::Dataset& dataset, bool wants_nuclei) {
  if (dataset.empty()) throw ArgumentError("validate: the validation set is empty");
  if (wants_nuclei &&
      std::all_of(dataset.begin(), dataset.end(), [](const data::Sample& s) { return s.points.empty(); }))
    throw ArgumentError("validate: the validation set has no nuclei at all, there is nothing to choose weights by");
}

#endif

}  // namespace detail

/// The validation loss over whole images, and the thresholds of highest F1 on the mean of the data sets, with F1 of
/// each, and of the classes. Images are reflected to a multiple of the network's stride; the loss counts their own
/// pixels, in tasks for outputs of the input's size. What lies where an image's labels do not count has no part in
/// the loss (see loss::evaluate) and in the scores (see metrics::counted). ranks: among which the images are dealt;
/// everybody gets the same bits, those that one process would. watch: told before each image, and after the last, how
/// many of this rank's are done; where one rank is to stop before one of its images, all do, before their next; after
/// the last image nobody does. Throws Stopped, and ArgumentError for an empty data set or, unless the search says
/// otherwise, one without a single nucleus.
template <class... Tasks, class Device, match::Matcher M = match::HungarianMatcher>
Validation validate(const nn::Model<Device>& model, const std::tuple<Tasks...>& tasks, const data::Dataset& dataset,
                    const ThresholdSearch& search = {}, const M& matcher = {}, Ranks* ranks = nullptr,
                    const Watch& watch = {}) {
  detail::check_validation_set(dataset, search.wants_nuclei);
  Context<Device>& context = model.context();
  const auto outputs_of_tasks = detail::outputs_of(model, tasks);
  detect::LocalMaxima peaks = search.peaks;
  peaks.absolute = std::min(peaks.absolute, kLeastThreshold * search.peaks.full_scale);
  const detect::Detector detector(model, peaks);
  detail::LooksByRank looks(ranks, dataset.size());
  const std::size_t mine = looks.mine().size();
  const auto tell = [&](std::size_t done) {
    if (watch.progress) watch.progress(static_cast<Index>(done), static_cast<Index>(mine));
  };
  for (std::size_t round = 0; round < looks.rounds(); ++round) {
    if (round < mine) tell(round);
    if (detail::any(ranks, watch.stop.stop_requested()))  // asked by all in each round, also by those that are done
      throw Stopped(message("validate: stopped after ", std::min(round, mine), " of ", mine, " images"));
    if (round >= mine) continue;
    const data::Sample& sample = dataset[looks.mine()[round]];
    const View<const float> view = view_of(sample.image);
    const auto outputs = detector.on_tiles().outputs(view, sample.statistics, {0, 0, view.shape.w, view.shape.h});
    const double loss = detail::loss_of(context, tasks, outputs_of_tasks, outputs, view.shape,
                                        detector.on_tiles().padded({0, 0, view.shape.w, view.shape.h}), sample);
    looks.add(loss, detector.peaks_in(outputs));
  }
  tell(mine);
  looks.share();
  double sum = 0;
  FoundInSets found;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    AnnotatedPoints truth = data::annotated(dataset[i]);
    sum += looks[i].loss;
    found[dataset[i].set].push_back(
        {std::move(looks[i].peaks), std::move(truth.points), std::move(truth.classes), dataset[i].areas});
  }
  const ThresholdChoice best = choose_thresholds(found, search, matcher);
  return {.loss = sum / static_cast<double>(dataset.size()),
          .f1 = best.mean_f1,
          .worst = best.worst_f1,
          .xi = best.xi,
          .floor = best.floor,
          .sets = best.sets,
          .class_f1 = detail::class_f1(found, best, static_cast<int>(detector.classes().size()), matcher)};
}

/// The same of a network that has one task, for its first output.
template <loss::PixelLoss Loss, Label Y, class Device, match::Matcher M = match::HungarianMatcher>
Validation validate(const nn::Model<Device>& model, const Loss& loss, const Y& label, const data::Dataset& dataset,
                    const ThresholdSearch& search = {}, const M& matcher = {}, Ranks* ranks = nullptr,
                    const Watch& watch = {}) {
  return validate(model, std::tuple(Task<Loss, Y>{loss, label}), dataset, search, matcher, ranks, watch);
}

}  // namespace nucdet::train

#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "nucdet/data/resident.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/loss/mix.hpp"
#include "nucdet/train/task.hpp"

namespace nucdet::train {

/// The data of a run: the set that the detector is for, and possibly another that is mixed in, a batch from each per
/// step.
struct Sources {
  const data::Dataset& target;
  const data::Dataset* auxiliary = nullptr;

  Index sets() const { return auxiliary != nullptr ? 2 : 1; }
  const data::Dataset& operator[](Index set) const { return set == 0 ? target : *auxiliary; }
  /// True if labels do not count everywhere.
  bool masked() const {
    const auto limited = [](const data::Dataset& set) {
      return std::any_of(set.begin(), set.end(), [](const data::Sample& s) { return !s.counted.everywhere(); });
    };
    return limited(target) || (auxiliary != nullptr && limited(*auxiliary));
  }
};

/// What a step works on: crops and the labels of each task, in the same memory in every step, so that a step can be
/// captured.
template <class Tasks, class Device, class Sampler>
class Batch {
 public:
  static constexpr std::size_t kTasks = std::tuple_size_v<Tasks>;

  /// gamma: see TrainSettings. The tasks are the trainer's.
  Batch(Context<Device>& context, const Tasks& tasks, Sampler sampler, double gamma)
      : context_(context), tasks_(tasks), sampler_(std::move(sampler)), gamma_(gamma), draw_(context, 1) {}

  Index images_for(Index sets) const { return sets * sampler_.batch; }
  /// Takes memory for batches of so many data sets; outputs: of the network, for each task; masked: see Sources.
  void make(const nn::Model<Device>& model, const std::array<std::size_t, kTasks>& outputs, Index sets, bool masked) {
    masked_ = masked;
    const Shape images{images_for(sets), sampler_.crop, sampler_.crop, model.in_channels()};
    const nn::Plan plan = model.plan(images);
    images_ = context_.make(images);
    detail::for_each_task(tasks_, [&](const auto& task, std::size_t i) {
      const nn::ProgramOutput& output = model.program().outputs()[outputs[i]];
      Shape map = plan.shapes[static_cast<std::size_t>(output.slot)];
      map.c = task.loss.target_maps(output.channels);
      labels_[i] = context_.make(map);
      map.c = 1;
      masks_[i] = masked ? context_.make(map) : Tensor<Device>();
      const bool weighted = sets == 2 || task.weight != 1;
      weights_[i] = DeviceArray<float, Device>(context_, weighted ? static_cast<std::size_t>(images.n) : 0);
    });
  }

  const Tensor<Device>& images() const { return images_; }
  const Tensor<Device>& labels(std::size_t task) const { return labels_[task]; }
  bool masked() const { return masked_; }
  /// Where the labels of a task count, as loss::evaluate takes it; without data: everywhere.
  View<const float> mask(std::size_t task) const {
    return masked_ ? masks_[task].template view<const float>() : View<const float>();
  }
  /// Of the images in a task's loss, in the device's memory; null if all are 1.
  const float* weights(std::size_t task) const { return weights_[task].size() == 0 ? nullptr : weights_[task].data(); }
  /// See nn::Pass::draw.
  const std::uint64_t* number() const { return draw_.data(); }

  void draw(const Sources& sources, std::int64_t iteration) {
    const Index each = sampler_.batch;
    std::vector<loss::Origin> origins;
    for (Index set = 0; set < sources.sets(); ++set) {
      resident(set, sources[set])
          .draw(context_, sampler_of(set), iteration, part_of(images_, set * each, each), shown_);
      detail::for_each_task(tasks_, [&](const auto& task, std::size_t i) {
        detail::draw_labels(context_, task.label, std::span<const AnnotatedPoints>(shown_at(labels_[i].shape())),
                            part_of(labels_[i], set * each, each));
        if (masked_) draw_mask(sources[set], sampler_of(set), iteration, part_of(masks_[i], set * each, each));
      });
      origins.insert(origins.end(), static_cast<std::size_t>(each),
                     set == 0 ? loss::Origin::target : loss::Origin::auxiliary);
    }
    detail::for_each_task(tasks_, [&](const auto& task, std::size_t i) {
      if (weights_[i].size() == 0) return;
      std::vector<float> weights(origins.size(), 1.0f);
      if (sources.sets() == 2) weights = loss::mix_weights(origins, gamma_);
      for (float& weight : weights) weight *= static_cast<float>(task.weight);
      context_.upload(weights_[i].data(), weights.data(), weights.size() * sizeof(float));
    });
    const std::uint64_t number = static_cast<std::uint64_t>(iteration) << 16;
    context_.upload(draw_.data(), &number, sizeof number);
  }
  /// The host's part of a batch to come, while the device works on this one.
  void prepare(const Sources& sources, std::int64_t iteration) {
    for (Index set = 0; set < sources.sets(); ++set)
      resident(set, sources[set])
          .prepare(context_, sampler_of(set), iteration, part_of(images_, 0, sampler_.batch).shape);
  }

 private:
  void draw_mask(const data::Dataset& dataset, const Sampler& sampler, std::int64_t iteration, View<float> mask) {
    Tensor<Cpu> drawn = context_.host().make(mask.shape);
    sampler.draw_counted(context_.host(), dataset, iteration, drawn.view<float>());
    context_.upload(mask.data, drawn.view<float>().data, static_cast<std::size_t>(mask.shape.count()) * sizeof(float));
  }
  static View<float> part_of(Tensor<Device>& batch, Index first, Index count) {
    const View<float> all = batch.template view<float>();
    return {all.pixel(first, 0, 0), {count, all.shape.h, all.shape.w, all.shape.c}};
  }
  /// What the crops show, in the pixels of a map that may be smaller than they are.
  std::vector<AnnotatedPoints> shown_at(const Shape& map) const {
    std::vector<AnnotatedPoints> shown = shown_;
    for (AnnotatedPoints& nuclei : shown) nuclei = detail::in_pixels_of(std::move(nuclei), images_.shape(), map);
    return shown;
  }
  /// The data set on the device, taken there when it is first seen.
  data::ResidentDataset<Device, Sampler>& resident(Index set, const data::Dataset& dataset) {
    auto& kept = resident_[set];
    if (!kept || !kept->holds(dataset)) kept.emplace(context_, dataset);
    return *kept;
  }
  Sampler sampler_of(Index set) const {
    Sampler sampler = sampler_;
    if (set > 0) sampler.seed += 1, sampler.set_weights.clear();  // the weights are of the target's sets
    return sampler;
  }

  Context<Device>& context_;
  const Tasks& tasks_;
  Sampler sampler_;
  double gamma_;
  bool masked_ = false;
  Tensor<Device> images_;
  std::array<Tensor<Device>, kTasks> labels_, masks_;
  std::array<DeviceArray<float, Device>, kTasks> weights_;
  DeviceArray<std::uint64_t, Device> draw_;
  std::vector<AnnotatedPoints> shown_;
  std::optional<data::ResidentDataset<Device, Sampler>> resident_[2];
};

}  // namespace nucdet::train

#pragma once
#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "nucdet/core/transfer.hpp"
#include "nucdet/data/sampler.hpp"

namespace nucdet::data {

/// A data set with its images where a model's device can read them, and the crops cut there. On the CPU that is the
/// data set itself; a GPU keeps a copy of the images, and only the numbers of each cut and the points go up.
template <class Device, class Sampler = CropSampler>
class ResidentDataset {
 public:
  /// The data set must outlive this. Throws ShapeError for images of more than 8 channels, or of another number than
  /// their statistics have.
  ResidentDataset(Context<Device>& context, const Dataset& dataset) : dataset_(&dataset) {
    for (const Sample& sample : dataset) {
      const View<const float> image = view_of(sample.image);
      if (image.shape.c > detail::kMostChannels)
        throw ShapeError(message(sample.name, ": the image has ", image.shape.c, " channels, wanted at most ",
                                 detail::kMostChannels));
      if (static_cast<Index>(sample.statistics.mean.size()) != image.shape.c)
        throw ShapeError(message(sample.name, ": statistics of ", sample.statistics.mean.size(),
                                 " channels, the image has ", image.shape.c));
      images_.push_back(to_device(context, image));
      identities_.push_back(sample.identity.number());
    }
  }
  const Dataset& host() const { return *dataset_; }
  /// True if this is the data set, with the images that it was made of: another may have come to lie where it lay.
  bool holds(const Dataset& dataset) const {
    return dataset_ == &dataset &&
           std::equal(dataset.begin(), dataset.end(), identities_.begin(), identities_.end(),
                      [](const Sample& sample, std::uint64_t number) { return sample.identity.number() == number; });
  }

  /// The host's part of a draw, done while the device is busy with something else.
  void prepare(Context<Device>& context, const Sampler& sampler, std::int64_t iteration, const Shape& images) {
    if (dataset_->size() != images_.size())
      throw ShapeError(
          message("ResidentDataset: the data set has ", dataset_->size(), " samples, the device has ", images_.size()));
    ready_ = {sampler.seed, iteration, images, {}, {}};
    ready_.cuts = sampler.cuts(context.host(), *dataset_, iteration, images, ready_.shown);
  }

  /// See CropSampler::draw; images lie on the device. What was prepared must be of the same sampler.
  void draw(Context<Device>& context, const Sampler& sampler, std::int64_t iteration, View<float> images,
            std::vector<AnnotatedPoints>& shown) {
    if (ready_.seed != sampler.seed || ready_.iteration != iteration || ready_.images != images.shape)
      prepare(context, sampler, iteration, images.shape);
    shown = ready_.shown;
    const auto& cuts = ready_.cuts;
    std::vector<double> nodes;
    for (const auto& cut : cuts) {
      nodes.insert(nodes.end(), cut.warp.elastic.dx().begin(), cut.warp.elastic.dx().end());
      nodes.insert(nodes.end(), cut.warp.elastic.dy().begin(), cut.warp.elastic.dy().end());
    }
    const DeviceArray<double, Device> elastic(context, nodes.data(), nodes.size());
    const double* next = elastic.data();
    std::vector<detail::DeviceCut> on_device;
    for (const auto& cut : cuts) {
      on_device.push_back(device_cut(cut));
      const std::size_t count = cut.warp.elastic.dx().size();
      on_device.back().warp.elastic.dx = next, on_device.back().warp.elastic.dy = next + count;
      next += 2 * count;
    }
    const DeviceArray<detail::DeviceCut, Device> table(context, on_device.data(), on_device.size());
    const Shape grid{images.shape.n, images.shape.h, images.shape.w, 1};
    exec::parallel_for(context, grid, detail::CutPixels{table.data(), images});
    buffer_ = context.make(images.shape);
    change(context, cuts, images, std::make_index_sequence<std::tuple_size_v<Changes>>());
    exec::parallel_for(context, grid, detail::NormalizeCuts{table.data(), images});
  }

 private:
  using Cut = typename Sampler::Cut;
  using Changes = typename Sampler::Augmentation::Changes;

  /// The steps in their order; one that no crop of the batch drew is not begun.
  template <std::size_t... Steps>
  void change(Context<Device>& context, const std::vector<Cut>& cuts, View<float> images,
              std::index_sequence<Steps...>) {
    (change_by<Steps>(context, cuts, images), ...);
  }
  template <std::size_t Step>
  void change_by(Context<Device>& context, const std::vector<Cut>& cuts, View<float> images) {
    std::vector<std::tuple_element_t<Step, Changes>> changes;
    for (const Cut& cut : cuts) changes.push_back(std::get<Step>(cut.changes));
    if (std::none_of(changes.begin(), changes.end(), [](const auto& c) { return c.active; })) return;
    const DeviceArray<std::tuple_element_t<Step, Changes>, Device> table(context, changes.data(), changes.size());
    detail::apply_changes(context, table.data(), images, buffer_.template view<float>());
  }
  detail::DeviceCut device_cut(const Cut& cut) const {
    const Sample& sample = (*dataset_)[cut.sample];
    detail::DeviceCut to{images_[cut.sample].template view<const float>(), cut.warp.view(), {}, {}};
    for (std::size_t c = 0; c < sample.statistics.mean.size(); ++c)
      to.mean[c] = sample.statistics.mean[c], to.inverse[c] = 1.0f / sample.statistics.deviation[c];
    return to;
  }

  /// The cuts of one iteration.
  struct Prepared {
    std::uint64_t seed = 0;
    std::int64_t iteration = -1;
    Shape images;
    std::vector<Cut> cuts;
    std::vector<AnnotatedPoints> shown;
  };

  const Dataset* dataset_;
  std::vector<Tensor<Device>> images_;
  std::vector<std::uint64_t> identities_;  ///< of the samples
  Tensor<Device> buffer_;                  ///< for steps of two passes
  Prepared ready_;
};

template <class Sampler>
class ResidentDataset<Cpu, Sampler> {
 public:
  ResidentDataset(Context<Cpu>&, const Dataset& dataset) : dataset_(&dataset) {}
  const Dataset& host() const { return *dataset_; }
  bool holds(const Dataset& dataset) const { return dataset_ == &dataset; }
  void prepare(Context<Cpu>&, const Sampler&, std::int64_t, const Shape&) {}
  void draw(Context<Cpu>& context, const Sampler& sampler, std::int64_t iteration, View<float> images,
            std::vector<AnnotatedPoints>& shown) {
    sampler.draw(context, *dataset_, iteration, images, shown);
  }

 private:
  const Dataset* dataset_;
};

}  // namespace nucdet::data

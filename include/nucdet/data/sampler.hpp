#pragma once
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/data/augment.hpp"
#include "nucdet/data/crop_kernel.hpp"
#include "nucdet/data/dataset.hpp"

namespace nucdet::data {

/// The order in which a sample is drawn: a data set, in it a group (organ) if they are to be balanced, in it an image.
class SampleTree {
 public:
  /// weights: how often a set is drawn, by its name, relative to the others; 1 where none is given. Throws
  /// ArgumentError for a weight that is negative or of a set that is not there.
  SampleTree(const Dataset& dataset, bool balanced, const std::map<std::string, double>& weights);

  std::size_t draw(RandomStream& random) const;

 private:
  struct Set {
    double until;  ///< the sum of the weights up to and with this set
    std::vector<std::vector<std::size_t>> groups;
  };
  std::vector<Set> sets_;
  double total_ = 0;
};

/// Draws batches of augmented crops on the fly. A crop is a function of the seed, the iteration and its place in the
/// batch, so that nothing has to be remembered to go on.
template <class A>
struct BasicCropSampler {
  using Augmentation = A;

  Index crop = 200;  ///< pixels
  Index batch = 4;
  A augmentation{};
  std::uint64_t seed = 0;
  bool balanced = true;  ///< of a set, draw the group first: small ones are seen as often as large ones
  std::map<std::string, double> set_weights{};  ///< see SampleTree
  Index rank = 0, ranks = 1;  ///< of several that draw a batch together, this one's part: `batch` is of each
  double margin = 48;         ///< pixels outside the crop within which points are kept: labels reach in

  /// One crop as it will be cut: which sample, how it is warped, what is done to its pixels.
  struct Cut {
    std::size_t sample = 0;
    Warp warp;
    typename A::Changes changes{};
  };

  /// images: [batch, crop, crop, C], filled with normalised pixels. shown: the nuclei of each crop, in its pixels, with
  /// their classes.
  /// Throws ArgumentError for an empty dataset or bad settings, ShapeError if the sizes differ.
  void draw(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, View<float> images,
            std::vector<AnnotatedPoints>& shown) const;

  /// Where the labels of these crops count: 1 in a pixel that shows one that does, else 0. maps: [batch, h, w, 1], of
  /// the crops or of maps of them that may be smaller.
  void draw_counted(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, View<float> maps) const;

  /// The cuts of a batch, and the points that each shows: what a device needs to fill the images itself.
  std::vector<Cut> cuts(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, const Shape& images,
                        std::vector<AnnotatedPoints>& shown) const;

 private:
  void check(const Dataset& dataset, const Shape& images) const;
  Cut cut(const Dataset& dataset, const SampleTree& tree, std::int64_t iteration, Index n) const;
  template <class Change>
  static void change_crop(Context<Cpu>& context, const Change& change, View<float> crop, View<float> buffer) {
    if (change.active) detail::apply_changes(context, &change, crop, buffer);
  }
  AnnotatedPoints shown_of(const Cut& cut, const Sample& sample) const;
  template <class Change>
  static bool covered([[maybe_unused]] const Change& change, [[maybe_unused]] Point p) {
    if constexpr (CoveringChange<Change>) return change.active && change.covers(p);
    return false;
  }
};

template <class A>
void BasicCropSampler<A>::draw(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration,
                               View<float> images, std::vector<AnnotatedPoints>& shown) const {
  check(dataset, images.shape);
  shown.assign(static_cast<std::size_t>(batch), {});
  const SampleTree tree(dataset, balanced, set_weights);
  Tensor<Cpu> buffers = context.make(images.shape);
  const View<float> buffer = buffers.view<float>();
  context.run(batch, [&](Index n, int) {
    const Cut cut = this->cut(dataset, tree, iteration, n);
    const Sample& sample = dataset[cut.sample];
    const View<float> out = images.image(n);
    warp_image(cut.warp, view_of(sample.image), out);
    std::apply([&](const auto&... change) { (change_crop(context, change, out, buffer.image(n)), ...); }, cut.changes);
    normalize(context, out, sample.statistics, out);
    shown[static_cast<std::size_t>(n)] = shown_of(cut, sample);
  });
}

template <class A>
std::vector<typename BasicCropSampler<A>::Cut> BasicCropSampler<A>::cuts(Context<Cpu>& context, const Dataset& dataset,
                                                                         std::int64_t iteration, const Shape& images,
                                                                         std::vector<AnnotatedPoints>& shown) const {
  check(dataset, images);
  shown.assign(static_cast<std::size_t>(batch), {});
  std::vector<Cut> all(static_cast<std::size_t>(batch));
  const SampleTree tree(dataset, balanced, set_weights);
  context.run(batch, [&](Index n, int) {
    Cut& cut = all[static_cast<std::size_t>(n)];
    cut = this->cut(dataset, tree, iteration, n);
    shown[static_cast<std::size_t>(n)] = shown_of(cut, dataset[cut.sample]);
  });
  return all;
}

template <class A>
void BasicCropSampler<A>::draw_counted(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration,
                                       View<float> maps) const {
  if (maps.shape.n != batch || maps.shape.c != 1)
    throw ShapeError(
        message("CropSampler: maps of what counts are ", maps.shape, ", wanted ", batch, " of one channel"));
  const SampleTree tree(dataset, balanced, set_weights);
  context.run(batch, [&](Index n, int) {
    const Cut cut = this->cut(dataset, tree, iteration, n);
    const WarpView warp = cut.warp.view();
    nucdet::data::draw_counted(
        dataset[cut.sample].counted, {1, crop, crop, 1}, [&](Point p) { return warp.source_of(p); }, maps.image(n));
  });
}

template <class A>
void BasicCropSampler<A>::check(const Dataset& dataset, const Shape& images) const {
  augmentation.check();
  if (dataset.empty()) throw ArgumentError("CropSampler: the dataset is empty");
  for (const Sample& sample : dataset) check_classes(sample.name, sample.points.size(), sample.classes);
  const Shape wanted{batch, crop, crop, static_cast<Index>(dataset[0].image.shape(2))};
  if (batch < 1 || crop < 1 || images != wanted)
    throw ShapeError(message("CropSampler: images are ", images, ", wanted ", wanted));
}

template <class A>
typename BasicCropSampler<A>::Cut BasicCropSampler<A>::cut(const Dataset& dataset, const SampleTree& tree,
                                                           std::int64_t iteration, Index n) const {
  RandomStream random{seed, static_cast<std::uint64_t>((iteration * ranks + rank) * batch + n)};
  Cut cut;
  cut.sample = tree.draw(random);
  const Shape source = view_of(dataset[cut.sample].image).shape;
  cut.warp = augmentation.geometry.draw(crop, source.w, source.h, random);
  aim(cut.warp, dataset[cut.sample].counted, random);
  if (source.c == 3) cut.changes = augmentation.draw(crop, random);
  return cut;
}

template <class A>
AnnotatedPoints BasicCropSampler<A>::shown_of(const Cut& cut, const Sample& sample) const {
  const Shape source = view_of(sample.image).shape;
  AnnotatedPoints shown;
  visit_shown(cut.warp, sample.points, source.w, source.h, margin, [&](Point p, std::size_t i) {
    if (std::apply([&](const auto&... change) { return (covered(change, p) || ...); }, cut.changes)) return;
    shown.points.push_back(p);
    if (!sample.classes.empty()) shown.classes.push_back(sample.classes[i]);
  });
  return shown;
}

using CropSampler = BasicCropSampler<StandardAugmentation>;

#ifdef NUCDET_PREBUILT
NUCDET_PREBUILT_CPU struct BasicCropSampler<StandardAugmentation>;
#endif

#ifdef NUCDET_INLINE

NUCDET_INLINE SampleTree::SampleTree(const Dataset& dataset, bool balanced,
                                     const std::map<std::string, double>& weights) {
  std::map<std::string, std::map<std::string, std::vector<std::size_t>>> tree;
  for (std::size_t i = 0; i < dataset.size(); ++i) tree[dataset[i].set][balanced ? dataset[i].group : ""].push_back(i);
  for (const auto& [name, weight] : weights)
    if (!tree.contains(name) || !(weight >= 0 && weight <= 1e6))
      throw ArgumentError(message("CropSampler: the weight of the set '", name, "' is ", weight,
                                  tree.contains(name) ? ", wanted 0 to 1e6" : ", but there is no such set"));
  for (auto& [name, groups] : tree) {
    const auto given = weights.find(name);
    total_ += given == weights.end() ? 1.0 : given->second;
    sets_.push_back({total_, {}});
    for (auto& [group, members] : groups) sets_.back().groups.push_back(std::move(members));
  }
  if (!dataset.empty() && !(total_ > 0)) throw ArgumentError("CropSampler: the weights of all sets are 0");
}

NUCDET_INLINE std::size_t SampleTree::draw(RandomStream& random) const {
  // One set is the common case, and draws no number for it.
  const double at = sets_.size() > 1 ? random.uniform(0, total_) : 0;
  std::size_t set = 0;
  while (set + 1 < sets_.size() && at >= sets_[set].until) ++set;
  const auto& groups = sets_[set].groups;
  const auto& group = groups[static_cast<std::size_t>(random.below(static_cast<Index>(groups.size())))];
  return group[static_cast<std::size_t>(random.below(static_cast<Index>(group.size())))];
}

#endif

}  // namespace nucdet::data

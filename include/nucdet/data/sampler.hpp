#pragma once
#include <vector>

#include "nucdet/data/augment.hpp"
#include "nucdet/data/dataset.hpp"

namespace nucdet::data {

/// Draws batches of augmented crops on the fly. A crop is a function of the seed, the iteration and its place in the
/// batch, so that nothing has to be remembered to go on.
struct CropSampler {
  Index crop = 200;  ///< pixels
  Index batch = 4;
  Augmentation augmentation{};
  std::uint64_t seed = 0;
  bool balanced = true;  ///< draw the group first, so that small groups are seen as often as large ones
  double margin = 48;    ///< pixels outside the crop within which points are kept: labels reach in

  /// One crop as it will be cut: which sample, how it is warped and stained.
  struct Cut {
    std::size_t sample = 0;
    Warp warp;
    bool stains = false;
    StainChange stain{};
  };

  /// images: [batch, crop, crop, C], filled with normalised pixels. points: one list a crop, in its pixels.
  /// Throws ArgumentError for an empty dataset or bad settings, ShapeError if the sizes differ.
  void draw(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, View<float> images,
            std::vector<std::vector<Point>>& points) const {
    check(dataset, images.shape);
    points.assign(static_cast<std::size_t>(batch), {});
    const auto groups = groups_of(dataset);
    context.run(batch, [&](Index n, int) {
      const Cut cut = this->cut(dataset, groups, iteration, n);
      const Sample& sample = dataset[cut.sample];
      const View<float> out = images.image(n);
      warp_image(cut.warp, view_of(sample.image), out);
      if (cut.stains) apply_stain(cut.stain, out);
      normalize(context, out, sample.statistics, out);
      points[static_cast<std::size_t>(n)] = points_of(cut, sample);
    });
  }

  /// The cuts of a batch, and the points that each shows: what a device needs to fill the images itself.
  std::vector<Cut> cuts(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, const Shape& images,
                        std::vector<std::vector<Point>>& points) const {
    check(dataset, images);
    points.assign(static_cast<std::size_t>(batch), {});
    std::vector<Cut> all(static_cast<std::size_t>(batch));
    const auto groups = groups_of(dataset);
    context.run(batch, [&](Index n, int) {
      Cut& cut = all[static_cast<std::size_t>(n)];
      cut = this->cut(dataset, groups, iteration, n);
      points[static_cast<std::size_t>(n)] = points_of(cut, dataset[cut.sample]);
    });
    return all;
  }

 private:
  using Groups = std::vector<std::vector<std::size_t>>;

  void check(const Dataset& dataset, const Shape& images) const {
    augmentation.check();
    if (dataset.empty()) throw ArgumentError("CropSampler: the dataset is empty");
    const Shape wanted{batch, crop, crop, static_cast<Index>(dataset[0].image.shape(2))};
    if (batch < 1 || crop < 1 || images != wanted)
      throw ShapeError(message("CropSampler: images are ", images, ", wanted ", wanted));
  }
  Cut cut(const Dataset& dataset, const Groups& groups, std::int64_t iteration, Index n) const {
    RandomStream random{seed, static_cast<std::uint64_t>(iteration * batch + n)};
    Cut cut;
    cut.sample = pick(groups, dataset.size(), random);
    const Shape source = view_of(dataset[cut.sample].image).shape;
    cut.warp = augmentation.draw(crop, source.w, source.h, random);
    cut.stains = augmentation.stain > 0 && source.c == 3;
    if (cut.stains) cut.stain = StainChange::draw(augmentation.stain, random);
    return cut;
  }
  std::vector<Point> points_of(const Cut& cut, const Sample& sample) const {
    const Shape source = view_of(sample.image).shape;
    return warp_points(cut.warp, sample.points, source.w, source.h, margin);
  }
  std::size_t pick(const Groups& groups, std::size_t all, RandomStream& random) const {
    if (!balanced) return static_cast<std::size_t>(random.below(static_cast<Index>(all)));
    const auto& group = groups[static_cast<std::size_t>(random.below(static_cast<Index>(groups.size())))];
    return group[static_cast<std::size_t>(random.below(static_cast<Index>(group.size())))];
  }
};

}  // namespace nucdet::data

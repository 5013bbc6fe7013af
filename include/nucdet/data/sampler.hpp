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

  /// images: [batch, crop, crop, C], filled with normalised pixels. points: one list a crop, in its pixels.
  /// Throws ArgumentError for an empty dataset or bad settings, ShapeError if the sizes differ.
  void draw(Context<Cpu>& context, const Dataset& dataset, std::int64_t iteration, View<float> images,
            std::vector<std::vector<Point>>& points) const {
    augmentation.check();
    if (dataset.empty()) throw ArgumentError("CropSampler: the dataset is empty");
    const Shape wanted{batch, crop, crop, static_cast<Index>(dataset[0].image.shape(2))};
    if (batch < 1 || crop < 1 || images.shape != wanted)
      throw ShapeError(message("CropSampler: images are ", images.shape, ", wanted ", wanted));
    const auto groups = groups_of(dataset);
    points.assign(static_cast<std::size_t>(batch), {});
    context.run(batch, [&](Index n, int) {
      RandomStream random{seed, static_cast<std::uint64_t>(iteration * batch + n)};
      const Sample& sample = dataset[pick(groups, dataset.size(), random)];
      const View<const float> source = view_of(sample.image);
      const Warp warp = augmentation.draw(crop, source.shape.w, source.shape.h, random);
      const View<float> out = images.image(n);
      warp_image(warp, source, out);
      if (augmentation.stain > 0 && source.shape.c == 3)
        apply_stain(StainChange::draw(augmentation.stain, random), out);
      normalize(context, out, sample.statistics, out);
      points[static_cast<std::size_t>(n)] = warp_points(warp, sample.points, source.shape.w, source.shape.h, margin);
    });
  }

 private:
  std::size_t pick(const std::vector<std::vector<std::size_t>>& groups, std::size_t all, RandomStream& random) const {
    if (!balanced) return static_cast<std::size_t>(random.below(static_cast<Index>(all)));
    const auto& group = groups[static_cast<std::size_t>(random.below(static_cast<Index>(groups.size())))];
    return group[static_cast<std::size_t>(random.below(static_cast<Index>(group.size())))];
  }
};

}  // namespace nucdet::data

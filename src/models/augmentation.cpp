#include "nucdet/models/augmentation.hpp"

namespace nucdet::models {

std::string describe(const data::StandardAugmentation& a) {
  const data::Geometry& g = a.geometry;
  return message("rotation ", g.rotation, ", mirror ", g.mirror, ", elastic ", g.elastic, ", scale ", g.scale,
                 ", stain ", a.step<data::Stain>().most, ", tone ", a.step<data::Tone>().most, ", blur ",
                 a.step<data::Blur>().most, ", sharpen ", a.step<data::Sharpen>().most, ", noise ",
                 a.step<data::Noise>().most, ", resolution ", a.step<data::Resolution>().most, ", jpeg ",
                 a.step<data::Jpeg>().worst, " (chrominance halved in ", a.step<data::Jpeg>().subsampled, "), glass ",
                 a.step<data::Glass>().chance, ", margin ", a.step<data::Margin>().chance, ", pen ",
                 a.step<data::Pen>().chance, ", dust ", a.step<data::Dust>().chance);
}

data::StandardAugmentation paper_augmentation() {
  data::StandardAugmentation paper = data::no_augmentation();
  paper.geometry = {.rotation = 180, .mirror = true, .scale = 0.1, .elastic = 2};
  paper.step<data::Stain>() = {.chance = 1, .most = 0.15};
  return paper;
}

}  // namespace nucdet::models

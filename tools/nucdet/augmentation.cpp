#include "augmentation.hpp"

namespace nucdet::program {

data::StandardAugmentation augmentation_of(const AugmentOptions& o) {
  data::StandardAugmentation a;
  a.geometry = {.rotation = o.rotation, .mirror = o.mirror, .scale = o.scale, .elastic = o.elastic};
  a.step<data::Stain>().most = o.stain;
  a.step<data::Tone>().most = o.tone;
  a.step<data::Blur>().most = o.blur;
  a.step<data::Sharpen>().most = o.sharpen;
  a.step<data::Noise>().most = o.noise;
  a.step<data::Resolution>().most = std::max(1.0, o.resolution);
  a.step<data::Jpeg>().worst = o.jpeg;
  a.step<data::Glass>().chance = o.glass;
  a.step<data::Margin>().chance = o.margin;
  a.step<data::Pen>().chance = o.pen;
  a.step<data::Dust>().chance = o.dust;
  return a;
}

std::string describe(const AugmentOptions& o) {
  return message("rotation ", o.rotation, ", mirror ", o.mirror, ", elastic ", o.elastic, ", scale ", o.scale,
                 ", stain ", o.stain, ", tone ", o.tone, ", blur ", o.blur, ", sharpen ", o.sharpen, ", noise ",
                 o.noise, ", resolution ", o.resolution, ", jpeg ", o.jpeg, ", glass ", o.glass, ", margin ", o.margin,
                 ", pen ", o.pen, ", dust ", o.dust);
}

AugmentOptions paper_augmentation() {
  return {.rotation = 180,
          .elastic = 2,
          .scale = 0.1,
          .mirror = true,
          .stain = 0.15,
          .tone = 0,
          .blur = 0,
          .sharpen = 0,
          .noise = 0,
          .resolution = 1,
          .jpeg = 100,
          .glass = 0,
          .margin = 0,
          .pen = 0,
          .dust = 0};
}

}  // namespace nucdet::program

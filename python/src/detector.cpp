#include "detector.hpp"

#include <algorithm>
#include <variant>

#include "nucdet/slide/stream.hpp"
#include "nucdet/slide/thumbnail.hpp"

namespace nucdet::python {

namespace {

CpuOptions options_of(const DetectorSettings& settings) {
  CpuOptions options{.threads = settings.threads};
  if (settings.exact) options.convolution = ConvolutionMethod::direct;
  return options;
}

slide::TissueMask tissue_of(const std::string& asked, const slide::Slide& slide, double um) {
  if (asked == "all") return slide::all_tissue(slide);
  if (asked == "auto") return slide::find_tissue(slide, um);
  return slide::tissue_from(io::read_picture(asked), slide);
}

}  // namespace

OwnedDetector::OwnedDetector(const DetectorSettings& settings) : context_(options_of(settings)) {
  models::LoadedModel<Cpu> loaded = models::load_model(context_, settings.weights, settings.thresholds);
  metadata_ = std::move(loaded.metadata), normalization_ = std::move(loaded.normalization), peaks_ = loaded.peaks;
  detector_.emplace(*loaded.model, peaks_, normalization_, detect::TileGrid{.cell = settings.tile},
                    detect::Averaging{.over = settings.average});
}

std::vector<Nucleus> OwnedDetector::detect(const data::ImageView& image, double scale, const Watch& watch) const {
  return detector_->detect(image, scale, watch).nuclei;
}

data::ChannelStatistics OwnedDetector::statistics_of(const slide::Slide& slide) const {
  if (const auto* constants = std::get_if<data::FixedNormalization>(&normalization_)) return constants->statistics;
  constexpr Index kLongest = 2048;  // as the program: a low level stands for the whole
  return detector_->statistics(view_of(data::to_image(context_, slide::thumbnail(slide, kLongest).view())));
}

SlideDetections OwnedDetector::detect(const slide::Slide& slide, const models::AskedPixelSize& asked,
                                      const std::string& tissue, const Watch& watch) const {
  io::Picture about{.where = slide.where(), .format = "slide", .height = slide.height(), .width = slide.width()};
  about.pixel_size = slide.pixel_size();
  const double um = models::scaling_of(asked, {}, about).scale * models::kReferencePixel;
  const slide::SlidePlan plan(slide, um);
  const slide::TissueMask mask = tissue_of(tissue, slide, um);
  const detect::Rectangle all{0, 0, slide.width(), slide.height()};
  const auto tiles = plan.tiles_on(mask, detector_->regions(plan.reference), detector_->tiles());
  const std::vector<Index> wanted = plan.wanted(tiles, mask, all);
  SlideDetections found;
  const auto keep = [&](Index, const std::vector<Nucleus>& nuclei) {
    ++found.tiles;
    std::copy_if(nuclei.begin(), nuclei.end(), std::back_inserter(found.nuclei), [&](const Nucleus& n) {
      return all.holds(n.centre.x + 0.5, n.centre.y + 0.5) && mask.holds(n.centre);
    });
  };
  slide::detect_tiles(*detector_, slide, plan, statistics_of(slide), tiles, wanted, keep, watch);
  found.nuclei = detector_->relative(std::move(found.nuclei));
  for (Nucleus& n : found.nuclei) n.score = peaks_.score(n.score);
  return found;
}

data::ChannelStatistics OwnedDetector::statistics(const data::ImageView& view) const {
  return detector_->statistics(view_of(data::to_image(context_, view)));
}

std::vector<std::pair<std::string, Tensor<Cpu>>> OwnedDetector::outputs(const data::ImageView& view) const {
  const Image image = data::to_image(context_, view);
  const detect::Rectangle whole{0, 0, view.width, view.height};
  const auto& names = detector_->network()->program.outputs();
  std::vector<Tensor<Cpu>> maps =
      detector_->on_tiles().outputs(view_of(image), detector_->statistics(view_of(image)), whole);
  std::vector<std::pair<std::string, Tensor<Cpu>>> named;
  for (std::size_t i = 0; i < maps.size(); ++i) named.emplace_back(names[i].name, std::move(maps[i]));
  return named;
}

}  // namespace nucdet::python

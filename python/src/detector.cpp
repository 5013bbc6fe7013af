#include "detector.hpp"

#include "nucdet/slide/detect_slide.hpp"

namespace nucdet::python {

namespace {

CpuOptions options_of(const DetectorSettings& settings) {
  CpuOptions options{.threads = settings.threads};
  if (settings.exact) options.convolution = ConvolutionMethod::direct;
  return options;
}

slide::TissueMask tissue_of(const std::string& asked, const slide::Slide& slide, double um, const Watch& watch) {
  if (asked == "all") return slide::all_tissue(slide);
  if (asked == "auto") return slide::find_tissue(slide, um, {}, watch);
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

std::vector<Nucleus> OwnedDetector::detect(const slide::Slide& slide, const models::AskedPixelSize& asked,
                                           const std::string& tissue, const Watch& watch) const {
  const models::Scaling scaling = models::scaling_of(asked, {}, slide.where(), slide.pixel_size());
  const double um = scaling.scale * models::kReferencePixel;
  const slide::TissueMask where = tissue_of(tissue, slide, um, watch.beforehand());
  return slide::detect_slide(*detector_, normalization_, slide, um, where, watch);
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

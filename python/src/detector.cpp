#include "detector.hpp"

#include <unistd.h>

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

OwnedDetector::OwnedDetector(const DetectorSettings& settings) : process_(getpid()), context_(options_of(settings)) {
  models::LoadedModel<Cpu> loaded = models::load_model(context_, settings.weights, settings.thresholds);
  metadata_ = std::move(loaded.metadata), normalization_ = std::move(loaded.normalization), peaks_ = loaded.peaks;
  detector_.emplace(*loaded.model, peaks_, normalization_, detect::TileGrid{.cell = settings.tile},
                    detect::Averaging{.over = settings.average});
}

bool OwnedDetector::has_its_team() const { return context_.threads() == 1 || process_ == getpid(); }

void OwnedDetector::check_team() const {
  if (!has_its_team())
    throw Error(message("Detector: was made by process ", process_, ", whose ", threads(), " threads this one (",
                        getpid(),
                        "), which was forked, has not: make a detector here, or with threads=1 there, or start ",
                        "processes with multiprocessing.get_context(\"spawn\")"));
}

std::vector<Nucleus> OwnedDetector::detect(const data::ImageView& image, double scale, const Watch& watch) const {
  check_team();
  return detector_->detect(image, scale, watch).nuclei;
}

std::vector<Nucleus> OwnedDetector::detect(const slide::Slide& slide, double scale, const SlideWishes& wishes,
                                           const Watch& watch) const {
  check_team();
  if (wishes.origin != "level0" && wishes.origin != "bounds")
    throw ArgumentError(message("detect_slide: the origin is '", wishes.origin, "', wanted level0 or bounds"));
  const double um = scale * models::kReferencePixel;
  const slide::TissueMask where = tissue_of(wishes.tissue, slide, um, watch.beforehand());
  std::vector<Nucleus> found = slide::detect_slide(*detector_, normalization_, slide, um, where, watch);
  if (wishes.origin == "level0") return found;
  const slide::Rectangle frame = slide.bounds();
  std::erase_if(found, [&](const Nucleus& n) { return !frame.holds(n.centre.x + 0.5, n.centre.y + 0.5); });
  for (Nucleus& n : found) n.centre.x -= static_cast<double>(frame.x), n.centre.y -= static_cast<double>(frame.y);
  return found;
}

data::ChannelStatistics OwnedDetector::statistics(const data::ImageView& view) const {
  check_team();
  return detector_->statistics(view_of(data::to_image(context_, view)));
}

std::vector<std::pair<std::string, Tensor<Cpu>>> OwnedDetector::outputs(const data::ImageView& view) const {
  check_team();
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

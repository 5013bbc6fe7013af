#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/safetensors.hpp"
#include "nucdet/models/device.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/models/pixel_size.hpp"
#include "nucdet/slide/detect_slide.hpp"
#include "nucdet/slide/open.hpp"

#include "call.hpp"
#include "nucdet.h"
#include "pixels.hpp"

using namespace nucdet;

/// A detector of any device, with the context that it works in.
struct nucdet_detector {
  virtual ~nucdet_detector() = default;
  virtual std::vector<Nucleus> detect(const nucdet_image& image, double scale, const Watch& watch) const = 0;
  virtual std::vector<Nucleus> detect(const slide::Slide& slide, double um, const slide::TissueMask& tissue,
                                      const Watch& watch, std::size_t ahead) const = 0;
  virtual const std::vector<std::string>& classes() const = 0;

  std::string device{};
};

struct nucdet_detections {
  std::vector<nucdet_nucleus> nuclei;
  double um_per_pixel;
};

namespace nucdet::capi {

namespace {

models::Thresholds thresholds_of(const nucdet_detector_options& o) {
  models::Thresholds replaced;
  if (o.threshold != nullptr) replaced.threshold = *o.threshold;
  if (o.xi != nullptr) replaced.xi = *o.xi;
  if (!(replaced.threshold.value_or(0) >= 0))
    throw ArgumentError(message("nucdet_detector_options: threshold is ", *o.threshold, ", wanted 0 or more"));
  if (!(replaced.xi.value_or(0) >= 0 && replaced.xi.value_or(0) <= 1))
    throw ArgumentError(message("nucdet_detector_options: xi is ", *o.xi, ", wanted 0 to 1"));
  return replaced;
}

CpuOptions cpu_options(const nucdet_detector_options& o) {
  constexpr std::int32_t kMostThreads = 1024;
  if (o.threads < 0 || o.threads > kMostThreads)
    throw ArgumentError(message("nucdet_detector_options: threads is ", o.threads, ", wanted 0 to ", kMostThreads));
  CpuOptions host{.threads = o.threads};
  if (o.exact != 0) host.convolution = ConvolutionMethod::direct;
  return host;
}

detect::TileGrid tiles_of(const nucdet_detector_options& o) {
  if (o.tile < 0) throw ArgumentError(message("nucdet_detector_options: tile is ", o.tile, ", wanted 0 or more"));
  detect::TileGrid tiles;
  if (o.tile > 0) tiles.cell = o.tile;
  return tiles;
}

template <class Device>
class Held final : public nucdet_detector {
 public:
  /// load(context, thresholds) gives the model.
  template <class Load>
  Held(typename Context<Device>::Options context, const nucdet_detector_options& o, const Load& load)
      : context_(std::move(context)) {
    models::LoadedModel<Device> loaded = load(context_, thresholds_of(o));
    detector_.emplace(*loaded.model, loaded.peaks, loaded.normalization, tiles_of(o),
                      detect::Averaging{.over = o.average == 0 ? 1 : o.average});
    detector_->regions({1, 1, 1, 3});  // refuses tiles that do not fit the network
    rule_ = std::move(loaded.normalization);
  }

  std::vector<Nucleus> detect(const nucdet_image& image, double scale, const Watch& watch) const override {
    const Pixels pixels(image, detector_->network()->in_channels);
    return pixels.visit([&](const auto& each) { return detector_->detect(each, scale, watch).nuclei; });
  }
  std::vector<Nucleus> detect(const slide::Slide& slide, double um, const slide::TissueMask& tissue, const Watch& watch,
                              std::size_t ahead) const override {
    return slide::detect_slide(*detector_, rule_, slide, um, tissue, watch, ahead);
  }
  const std::vector<std::string>& classes() const override { return detector_->classes(); }

 private:
  Context<Device> context_;
  std::optional<detect::Detector<Device>> detector_{};
  data::Normalization rule_{};
};

template <class Load>
std::unique_ptr<nucdet_detector> make_detector(const nucdet_detector_options* given, const Load& load) {
  const nucdet_detector_options o = read_struct(given, "nucdet_detector_options");
  const models::NamedDevice device = models::device_named(o.device == nullptr ? "auto" : o.device);
  const Precision precision = models::precision_named(o.precision == nullptr ? "fp32" : o.precision);
  std::unique_ptr<nucdet_detector> made;
  if (!device.cuda) {
    if (precision != Precision::fp32)
      throw ArgumentError("the processor computes in fp32, another precision was asked for");
    made = std::make_unique<Held<Cpu>>(cpu_options(o), o, load);
    made->device = "cpu";
  }
#ifdef NUCDET_WITH_CUDA
  if (device.cuda) {
    made = std::make_unique<Held<Cuda>>(
        CudaOptions{.precision = precision, .device = device.number, .host = cpu_options(o)}, o, load);
    made->device = message("cuda:", device.number);
  }
#endif
  return made;
}

/// How an image comes to reference pixels: the caller's word, else the file's, else 0.25 um. The range is asked here,
/// so that the text speaks of what a caller of C has.
models::Scaling scaling_of(double um, const char* what, const std::string& where, const io::PixelSize& found) {
  if (um == 0) return models::scaling_of({}, {}, where, found);
  if (!(um >= models::kFinestPixel && um <= models::kCoarsestPixel))
    throw ArgumentError(message(what, ": um_per_pixel is ", um, ", wanted ", models::kFinestPixel, " to ",
                                models::kCoarsestPixel, ", or 0 where it is not known"));
  return models::scaling_of({.mpp = um}, {}, where, found);
}

nucdet_detections* detections_of(const std::vector<Nucleus>& found, const models::Scaling& scaling) {
  auto made = std::make_unique<nucdet_detections>();
  made->um_per_pixel = scaling.scale * models::kReferencePixel;
  made->nuclei.reserve(found.size());
  for (const Nucleus& n : found)
    made->nuclei.push_back({n.centre.x, n.centre.y, n.score, n.class_id, n.class_probability, 0});
  return made.release();
}

}  // namespace

}  // namespace nucdet::capi

nucdet_status nucdet_detector_open(const char* path, const nucdet_detector_options* options, nucdet_detector** result) {
  return capi::guarded([&] {
    auto& out = capi::wanted(result, "result");
    const std::filesystem::path file(&capi::wanted(path, "path"));
    out = capi::make_detector(options, [&](auto& context, const models::Thresholds& thresholds) {
            return models::load_model(context, file, thresholds);
          }).release();
  });
}

nucdet_status nucdet_detector_from_memory(const void* weights, size_t bytes, const nucdet_detector_options* options,
                                          nucdet_detector** result) {
  return capi::guarded([&] {
    auto& out = capi::wanted(result, "result");
    if (weights == nullptr) throw ArgumentError("weights is null");
    constexpr const char* kWhere = "weights in memory";
    const io::SafeTensorFile file = io::parse_safetensors({static_cast<const std::byte*>(weights), bytes}, kWhere);
    out = capi::make_detector(options, [&](auto& context, const models::Thresholds& thresholds) {
            return models::load_model(context, file, kWhere, thresholds);
          }).release();
  });
}

void nucdet_detector_free(nucdet_detector* detector) { delete detector; }

int32_t nucdet_detector_class_count(const nucdet_detector* detector) {
  return detector == nullptr ? 0 : static_cast<std::int32_t>(detector->classes().size());
}

const char* nucdet_detector_class_name(const nucdet_detector* detector, int32_t class_id) {
  if (class_id < 0 || class_id >= nucdet_detector_class_count(detector)) return nullptr;
  return detector->classes()[static_cast<std::size_t>(class_id)].c_str();
}

const char* nucdet_detector_device(const nucdet_detector* detector) {
  return detector == nullptr ? nullptr : detector->device.c_str();
}

nucdet_status nucdet_detect(const nucdet_detector* detector, const nucdet_image* image, nucdet_progress progress,
                            void* user, nucdet_detections** result) {
  return capi::guarded([&] {
    auto& out = capi::wanted(result, "result");
    const nucdet_detector& by = capi::wanted(detector, "detector");
    const nucdet_image given = capi::read_struct(capi::wanted(image, "image"), "nucdet_image");
    const models::Scaling scaling = capi::scaling_of(given.um_per_pixel, "nucdet_image", "nucdet_image", {});
    out = capi::detections_of(by.detect(given, scaling.scale, capi::watch_of(progress, user)), scaling);
  });
}

nucdet_status nucdet_detect_slide(const nucdet_detector* detector, const char* path,
                                  const nucdet_slide_options* options, nucdet_progress progress, void* user,
                                  nucdet_detections** result) {
  return capi::guarded([&] {
    auto& out = capi::wanted(result, "result");
    const nucdet_detector& by = capi::wanted(detector, "detector");
    const nucdet_slide_options o = capi::read_struct(options, "nucdet_slide_options");
    constexpr std::int32_t kMostAhead = 1024;
    if (o.ahead < 0 || o.ahead > kMostAhead)
      throw ArgumentError(message("nucdet_slide_options: ahead is ", o.ahead, ", wanted 0 to ", kMostAhead));
    const slide::Slide slide = slide::open_slide(&capi::wanted(path, "path"));
    const models::Scaling scaling =
        capi::scaling_of(o.um_per_pixel, "nucdet_slide_options", slide.where(), slide.pixel_size());
    const double um = scaling.scale * models::kReferencePixel;
    const Watch watch = capi::watch_of(progress, user);
    const slide::TissueMask tissue =
        o.everywhere != 0 ? slide::all_tissue(slide) : slide::find_tissue(slide, um, {}, watch.beforehand());
    const std::size_t ahead = o.ahead == 0 ? slide::ReadAhead{}.tiles : static_cast<std::size_t>(o.ahead);
    out = capi::detections_of(by.detect(slide, um, tissue, watch, ahead), scaling);
  });
}

size_t nucdet_detections_count(const nucdet_detections* detections) {
  return detections == nullptr ? 0 : detections->nuclei.size();
}

const nucdet_nucleus* nucdet_detections_nuclei(const nucdet_detections* detections) {
  return detections == nullptr || detections->nuclei.empty() ? nullptr : detections->nuclei.data();
}

double nucdet_detections_um_per_pixel(const nucdet_detections* detections) {
  return detections == nullptr ? 0 : detections->um_per_pixel;
}

void nucdet_detections_free(nucdet_detections* detections) { delete detections; }

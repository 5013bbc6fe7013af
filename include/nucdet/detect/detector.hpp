#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "nucdet/core/transfer.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/data/image_conversion.hpp"
#include "nucdet/data/resample.hpp"
#include "nucdet/detect/class_scores.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/network_on_tiles.hpp"
#include "nucdet/detect/peak_finder.hpp"

namespace nucdet::detect {

/// What was found in an image, and with which numbers it was normalised.
struct Detection {
  std::vector<Nucleus> nuclei;
  data::ChannelStatistics statistics;
};

/// Detects nuclei in images of any size: normalised by the model's rule, reflected to a multiple of the network's
/// coarsest stride, in tiles if large. The network's head says in which map nuclei are sought and what their classes
/// are.
///
/// Memory, besides the image's own, is bounded by the tile, and the tiles are invisible in the result: margins hold the
/// network's reach and the peak window, cores share out the pixels, and the relative threshold is applied after the
/// last tile. docs/numerics.md says to which bit.
///
/// Thread-safe: a const detector may be called from any number of threads, with images of differing sizes. On a GPU the
/// calls take turns, and all detectors of one context are one thread's at a time, as the context is.
template <class Device = Cpu>
class Detector {
 public:
  using Network = std::shared_ptr<const nn::InferenceProgram<Device>>;

  /// The model as it stands now. normalization: the one that the network was trained with. tiles: a margin that is
  /// given must be at least the network's reach (MicroNet: 118) and what the peaks look at.
  Detector(const nn::Model<Device>& model, LocalMaxima peaks = {}, data::Normalization normalization = {},
           TileGrid tiles = {}, Averaging averaging = {})
      : Detector(model.context(), std::make_shared<const nn::InferenceProgram<Device>>(nn::for_inference(model)), peaks,
                 std::move(normalization), tiles, averaging) {}
  /// A network whose weights others may use at the same time, in this context. The context must outlive the detector.
  Detector(Context<Device>& context, Network network, LocalMaxima peaks = {}, data::Normalization normalization = {},
           TileGrid tiles = {}, Averaging averaging = {})
      : network_(context, std::move(network), averaging),
        peaks_(peaks),
        normalization_(std::move(normalization)),
        tiles_(tiles) {
    peaks_.check();
    if (this->network()->head.kind == nn::Head::Kind::softmax && peaks_.absolute > 1)
      throw ArgumentError(
          message("Detector: the least response is ", peaks_.absolute,
                  ", which a pixel classifier's probability never reaches: set LocalMaxima::absolute to 1 "
                  "at most, and full_scale to 1"));
    settle_tiles();
  }

  const TileGrid& tiles() const { return tiles_; }
  Context<Device>& context() const { return network_.context(); }
  const Network& network() const { return network_.network(); }
  /// The network alone: its maps for parts of an image.
  const NetworkOnTiles<Device>& on_tiles() const { return network_; }
  /// Names of the classes, in the order of Nucleus::class_id; none if the network has no classes.
  const std::vector<std::string>& classes() const { return network()->head.classes; }

  /// What an image on the host, in reference pixels, is normalised with.
  data::ChannelStatistics statistics(View<const float> image) const {
    return data::statistics_of(context().host(), normalization_, image);
  }

  /// All peaks of at least the absolute threshold, with their responses, in pixels of this image (reference pixels), in
  /// row-major order of their pixels. Throws Stopped, between tiles, if the watch asks for it.
  std::vector<Nucleus> candidates(View<const float> image, const data::ChannelStatistics& statistics,
                                  const Watch& watch = {}) const {
    return candidates_of(image.shape, watch,
                         [&](const Rectangle& read) { return network_.maps(image, statistics, read); });
  }
  /// The same for an image in the device's memory; only the points come back.
  std::vector<Nucleus> resident_candidates(View<const float> image, const data::ChannelStatistics& statistics,
                                           const Watch& watch = {}) const {
    return candidates_of(image.shape, watch,
                         [&](const Rectangle& read) { return network_.resident_maps(image, statistics, read); });
  }
  /// The same for bytes of a host program.
  std::vector<Nucleus> candidates(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                  const Watch& watch = {}) const {
    image.check();
    return candidates_of({1, image.height, image.width, image.channels}, watch,
                         [&](const Rectangle& read) { return network_.maps(image, statistics, read); });
  }

  /// The peaks of one tile's outputs (see NetworkOnTiles::outputs), with their responses and classes, in its pixels.
  std::vector<Nucleus> peaks_in(const std::vector<Tensor<Device>>& outputs) const {
    [[maybe_unused]] const auto turn = this->turn();
    const TileMaps<Device> maps = network_.maps_of(outputs);
    std::vector<Nucleus> nuclei = find_peaks(context(), maps.map.template view<const float>(), peaks_);
    give_classes(context(), maps, nuclei);
    return nuclei;
  }

  /// The whole map in which peaks are sought, put together on the host from the tiles' cores: [1, H, W, 1].
  Tensor<Cpu> map(View<const float> image, const data::ChannelStatistics& statistics) const {
    return whole_maps(image, statistics).map;
  }

  /// The nuclei of an image with values in [0, 1]; `scale` takes it to reference pixels. Positions in its own pixels,
  /// scores by the peaks' full scale. Throws ArgumentError for other values.
  Detection detect(const Image& image, double scale = 1.0, const Watch& watch = {}) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      return relative(candidates(view, statistics, watch));
    });
  }
  /// The same of bytes of a host program: no copy as floats is made, unless they are resampled or the model's rule
  /// looks at the whole image.
  Detection detect(const data::ImageView& image, double scale = 1.0, const Watch& watch = {}) const {
    const auto* constants = std::get_if<data::FixedNormalization>(&normalization_);
    if (scale != 1 || constants == nullptr)
      return detect(data::to_image(context().host(), image, network()->in_channels), scale, watch);
    return finished({relative(candidates(image, constants->statistics, watch)), constants->statistics}, 1);
  }
  /// The same by a rule that looks at the whole map at once: ComponentCentroids, or one's own.
  template <PeakFinder Finder>
  Detection detect(const Image& image, double scale, const Finder& finder, const Watch& watch = {}) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      const TileMaps<Cpu> whole = whole_maps(view, statistics, watch);
      std::vector<Nucleus> nuclei = find_by(context().host(), whole.map.template view<const float>(), finder);
      give_classes(context().host(), whole, nuclei);
      return nuclei;
    });
  }
  /// Many images, Image or ImageView, in one call; the watch counts them.
  template <class Pixels>
  std::vector<Detection> detect(std::span<const Pixels> images, double scale = 1.0, const Watch& watch = {}) const {
    std::vector<Detection> all;
    for (const Pixels& image : images) {
      watch.step("Detector", static_cast<Index>(all.size()), static_cast<Index>(images.size()));
      all.push_back(detect(image, scale, {.stop = watch.stop}));
    }
    if (watch.progress) watch.progress(static_cast<Index>(all.size()), static_cast<Index>(images.size()));
    return all;
  }
  /// Anything but an image: refused by the compiler, in a sentence.
  template <class Other>
  requires(xt::is_xexpression<Other>::value) Detection detect(const Other&, double = 1.0)
  const {
    data::detail::refuse_unless_image<Other>();
    return {};
  }
  template <class Pixels, class... More>
  std::vector<Nucleus> operator()(const Pixels& image, const More&... more) const {
    return detect(image, more...).nuclei;
  }

 private:
  /// Held while a GPU is at work for one thread; the CPU's context serves many.
  auto turn() const {
    if constexpr (std::is_same_v<Device, Cpu>)
      return 0;
    else
      return std::unique_lock(*turn_);
  }

  void settle_tiles() {
    if (!std::is_same_v<Device, Cpu>) tiles_.uniform = true;
    const auto& reach = network()->reach;
    const Index wanted = std::max(reach.before, reach.after) + peaks_.reach() + 1, given = tiles_.margin;
    tiles_.alignment = network()->coarsest_stride;
    if (given == TileGrid::kAutomatic) tiles_.margin = data::round_up(wanted, tiles_.alignment);
    if (tiles_.margin < wanted)
      throw ArgumentError(message("Detector: margin is ", given, " pixels, must be at least ", wanted));
  }

  /// The maps of the whole image, on the host.
  TileMaps<Cpu> whole_maps(View<const float> image, const data::ChannelStatistics& statistics,
                           const Watch& watch = {}) const {
    [[maybe_unused]] const auto turn = this->turn();
    TileMaps<Cpu> whole;
    Index done = 0;
    const std::vector<TileRegion> tiles = regions(image.shape);
    for (const TileRegion& region : tiles) {
      watch.step("Detector", done++, static_cast<Index>(tiles.size()));
      const TileMaps<Device> tile = network_.maps(image, statistics, region.read);
      put_core(tile.map, region, image.shape, whole.map), put_core(tile.scores, region, image.shape, whole.scores);
    }
    return whole;
  }
  /// The core of a tile's map goes to its place in the whole.
  void put_core(const Tensor<Device>& tile, const TileRegion& region, const Shape& image, Tensor<Cpu>& whole) const {
    if (!tile) return;
    const Rectangle &core = region.core, &read = region.read;
    const Index maps = tile.shape().c;
    if (!whole) whole = context().host().make({1, image.h, image.w, maps});
    Tensor<Device> dense = context().make({1, core.height, core.width, maps});
    ops::copy<float>(
        context(), tile.template view<const float>().window(core.y - read.y, core.x - read.x, core.height, core.width),
        dense.template view<float>());
    const Tensor<Cpu> part = to_host(context(), dense);
    ops::copy<float>(context().host(), part.template view<const float>(),
                     whole.template view<float>().window(core.y, core.x, core.height, core.width));
  }
  /// The classes of nuclei whose centres are pixels of the maps.
  template <class D>
  static void give_classes(Context<D>& context, const TileMaps<D>& maps, std::vector<Nucleus>& nuclei) {
    if (!maps.scores) return;
    std::vector<PixelPlace> places;
    for (const Nucleus& n : nuclei) places.push_back({std::lround(n.centre.x), std::lround(n.centre.y)});
    const auto found = classes_at(context, maps.scores.template view<const float>(), places);
    for (std::size_t i = 0; i < found.size(); ++i)
      nuclei[i].class_id = found[i].id, nuclei[i].class_probability = found[i].probability;
  }

  std::vector<Nucleus> relative(std::vector<Nucleus> nuclei) const {
    keep_relative(nuclei, peaks_.relative);
    return nuclei;
  }
  /// In the image's own pixels, and with scores for users.
  Detection finished(Detection found, double scale) const {
    for (Nucleus& n : found.nuclei) n.centre = data::to_source(n.centre, scale), n.score = peaks_.score(n.score);
    return found;
  }
  template <class Find>
  Detection in_reference_pixels(const Image& image, double scale, const Find& find) const {
    data::check_image(context().host(), view_of(image), "Detector");
    Image resampled;
    if (scale != 1) resampled = data::resample(context().host(), image, scale);
    const View<const float> view = view_of(scale != 1 ? resampled : image);
    Detection found{{}, statistics(view)};
    found.nuclei = find(view, found.statistics);
    return finished(std::move(found), scale);
  }

  template <class Maps>
  std::vector<Nucleus> candidates_of(const Shape& image, const Watch& watch, const Maps& maps_of_tile) const {
    [[maybe_unused]] const auto turn = this->turn();
    std::vector<Nucleus> all;
    LocalMaxima peaks = peaks_;
    peaks.keep_border = true;
    const std::vector<TileRegion> tiles = regions(image);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      const TileRegion& region = tiles[i];
      watch.step("Detector", static_cast<Index>(i), static_cast<Index>(tiles.size()));
      const TileMaps<Device> maps = maps_of_tile(region.read);
      const View<const float> map = maps.map.template view<const float>();
      std::vector<Nucleus> nuclei;
      std::vector<Point> offsets;
      for (const Peak& p : find_peak_pixels(context(), map, peaks)) {
        const double x = static_cast<double>(p.x + region.read.x), y = static_cast<double>(p.y + region.read.y);
        if (!region.core.holds(x, y)) continue;  // the pixel decides which core a peak belongs to
        if (!peaks_.keep_border && !inside({x, y}, image)) continue;
        nuclei.push_back({{static_cast<double>(p.x), static_cast<double>(p.y)}, p.score});
        offsets.push_back(p.offset);
      }
      give_classes(context(), maps, nuclei);
      for (std::size_t k = 0; k < nuclei.size(); ++k) {
        Point& centre = nuclei[k].centre;
        centre = {centre.x + static_cast<double>(region.read.x) + offsets[k].x,
                  centre.y + static_cast<double>(region.read.y) + offsets[k].y};
        all.push_back(nuclei[k]);
      }
    }
    if (watch.progress) watch.progress(static_cast<Index>(tiles.size()), static_cast<Index>(tiles.size()));
    const auto pixel = [](const Nucleus& n) { return std::pair(std::round(n.centre.y), std::round(n.centre.x)); };
    std::sort(all.begin(), all.end(), [&](const Nucleus& a, const Nucleus& b) { return pixel(a) < pixel(b); });
    return all;
  }
  bool inside(Point p, const Shape& s) const {
    const double edge = static_cast<double>(peaks_.radius);
    return p.x >= edge && p.y >= edge && p.x < static_cast<double>(s.w) - edge && p.y < static_cast<double>(s.h) - edge;
  }

  /// Tiles of an image. Throws ArgumentError for an image of several if the network looks at the whole of it.
  std::vector<TileRegion> regions(const Shape& image) const {
    std::vector<TileRegion> all = tiles_.regions(image.w, image.h);
    if (all.size() > 1 && !network()->reach.bounded)
      throw ArgumentError(message("Detector: a layer of the network looks at the whole image, and this one of ", image,
                                  " has ", all.size(), " tiles: set TileGrid::cell to its size"));
    return all;
  }

  NetworkOnTiles<Device> network_;
  LocalMaxima peaks_;
  data::Normalization normalization_;
  TileGrid tiles_;
  std::shared_ptr<std::recursive_mutex> turn_ =  // a watch may call the detector
      std::make_shared<std::recursive_mutex>();
};

}  // namespace nucdet::detect

#if defined(NUCDET_PREBUILT) || defined(NUCDET_WITH_CUDA)
#include "nucdet/nn/prebuilt.hpp"
#endif

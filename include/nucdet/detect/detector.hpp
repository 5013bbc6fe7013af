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
  /// given must be at least the network's reach (MicroNet: 118) and what the peaks look at. Cells, if they are not
  /// given, are of 1024 pixels, or of 1536 or 2048 if the network's maps of such a tile take 440 MB at most.
  Detector(const nn::Model<Device>& model, LocalMaxima peaks = {}, data::Normalization normalization = {},
           TileGrid tiles = {}, Averaging averaging = {});
  /// A network whose weights others may use at the same time, in this context. The context must outlive the detector.
  Detector(Context<Device>& context, Network network, LocalMaxima peaks = {}, data::Normalization normalization = {},
           TileGrid tiles = {}, Averaging averaging = {});

  /// The same in another context of its device, for another thread: on a GPU one's tiles travel while the other's are
  /// looked at.
  Detector in(Context<Device>& other) const {
    return {other, network(), peaks_, normalization_, tiles_, network_.averaging()};
  }

  const TileGrid& tiles() const { return tiles_; }
  Context<Device>& context() const { return network_.context(); }
  const Network& network() const { return network_.network(); }
  /// The network alone: its maps for parts of an image.
  const NetworkOnTiles<Device>& on_tiles() const { return network_; }
  /// Names of the classes, in the order of Nucleus::class_id; none if the network has no classes.
  const std::vector<std::string>& classes() const { return network()->head.classes; }

  /// What an image on the host, in reference pixels, is normalised with.
  data::ChannelStatistics statistics(View<const float> image) const;

  /// All peaks of at least the absolute threshold, with their responses, in pixels of this image (reference pixels), in
  /// row-major order of their pixels. Throws Stopped, between tiles, if the watch asks for it.
  std::vector<Nucleus> candidates(View<const float> image, const data::ChannelStatistics& statistics,
                                  const Watch& watch = {}) const;
  /// The same for an image in the device's memory; only the points come back.
  std::vector<Nucleus> resident_candidates(View<const float> image, const data::ChannelStatistics& statistics,
                                           const Watch& watch = {}) const;
  /// The same for bytes of a host program.
  std::vector<Nucleus> candidates(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                  const Watch& watch = {}) const;

  /// The tiles of an image of this size, in reference pixels. Throws ArgumentError for an image of several if the
  /// network looks at the whole of it.
  std::vector<TileRegion> regions(const Shape& image) const;
  /// What the network does with a tile inside a large image: its shapes, cost and memory.
  nn::Plan plan() const;
  /// What the network has to be shown of a tile: what is read, and on to a multiple of its strides, as far as the image
  /// reaches.
  Rectangle shown(const Shape& image, const TileRegion& tile) const;
  /// The candidates of one tile of an image: the same as among those of the whole. `part`: the pixels that are shown,
  /// values in [0, 1] or bytes.
  std::vector<Nucleus> candidates_in(const Shape& image, const TileRegion& tile, View<const float> part,
                                     const data::ChannelStatistics& statistics) const;
  std::vector<Nucleus> candidates_in(const Shape& image, const TileRegion& tile, const data::ImageView& part,
                                     const data::ChannelStatistics& statistics) const;
  /// Of the candidates of all tiles, those that reach the threshold that goes with the highest response.
  std::vector<Nucleus> relative(std::vector<Nucleus> nuclei) const;
  const LocalMaxima& peaks() const { return peaks_; }

  /// The peaks of one tile's outputs (see NetworkOnTiles::outputs), with their responses and classes, in its pixels.
  std::vector<Nucleus> peaks_in(const std::vector<Tensor<Device>>& outputs) const;

  /// The whole map in which peaks are sought, put together on the host from the tiles' cores: [1, H, W, 1].
  Tensor<Cpu> map(View<const float> image, const data::ChannelStatistics& statistics) const;

  /// The nuclei of an image with values in [0, 1]; `scale` takes it to reference pixels. Positions in its own pixels,
  /// scores by the peaks' full scale. Throws ArgumentError for other values.
  Detection detect(const Image& image, double scale = 1.0, const Watch& watch = {}) const;
  /// The same of bytes of a host program: no copy of the whole as floats is made, unless the model's rule looks at it.
  Detection detect(const data::ImageView& image, double scale = 1.0, const Watch& watch = {}) const;
  /// The same, but that no tile is looked at whose core does not touch `within`, pixels of this image: all its nuclei
  /// that lie there, to the bit, and some others.
  Detection detect(const data::ImageView& image, const Rectangle& within, double scale = 1.0,
                   const Watch& watch = {}) const;
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

  void settle_tiles();
  /// The cell that serves this network best.
  Index fitting_cell();

  /// The maps of the whole image, on the host.
  TileMaps<Cpu> whole_maps(View<const float> image, const data::ChannelStatistics& statistics,
                           const Watch& watch = {}) const;
  /// What the network is shown of a tile, and where its map is needed.
  Look look_of(const TileRegion& tile) const;
  /// The map of a core goes to its place in the whole.
  void put_core(const Tensor<Device>& map, const Rectangle& core, const Shape& image, Tensor<Cpu>& whole) const;
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

  /// In the image's own pixels, and with scores for users.
  Detection finished(Detection found, double scale) const;
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

  /// Candidates in reference pixels of an image that is not at their scale; `within`, too, is in reference pixels.
  std::vector<Nucleus> scaled_candidates(const data::ImageView& image, double scale,
                                         const data::ChannelStatistics& statistics, const Watch& watch,
                                         const Rectangle& within) const;
  /// Of the tiles whose cores touch a part.
  template <class Maps>
  std::vector<Nucleus> candidates_of(const Shape& image, const Watch& watch, const Rectangle& within,
                                     const Maps& maps_of_tile) const;
  template <class Maps>
  std::vector<Nucleus> candidates_of(const Shape& image, const Watch& watch, const Maps& maps_of_tile) const {
    return candidates_of(image, watch, {0, 0, image.w, image.h}, maps_of_tile);
  }
  /// The peaks in a tile's maps whose pixels lie in its core, in pixels of the image.
  std::vector<Nucleus> peaks_in_core(const Shape& image, const TileRegion& tile, const TileMaps<Device>& maps) const;
  bool inside(Point p, const Shape& s) const;

  NetworkOnTiles<Device> network_;
  LocalMaxima peaks_;
  data::Normalization normalization_;
  TileGrid tiles_;
  std::shared_ptr<std::recursive_mutex> turn_ =  // a watch may call the detector
      std::make_shared<std::recursive_mutex>();
};

}  // namespace nucdet::detect

#if defined(NUCDET_PREBUILT) || defined(NUCDET_WITH_CUDA)
#include "nucdet/detect/prebuilt.hpp"
#elif defined(NUCDET_BODIES)
#include "nucdet/detect/detector_impl.hpp"
#endif

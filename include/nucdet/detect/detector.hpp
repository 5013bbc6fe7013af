#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/data/resample.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/orientation.hpp"
#include "nucdet/detect/peak_finder.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/nn/passes.hpp"

namespace nucdet::detect {

/// What was found in an image, and with which numbers it was normalised.
struct Detection {
  std::vector<Nucleus> nuclei;
  data::ChannelStatistics statistics;
};

/// Detects nuclei in images of any size: normalised by the model's rule, reflected to a multiple of the network's
/// coarsest stride, in tiles if large. The network regresses one map, or classifies pixels with two (background and
/// nucleus before the softmax), whose map is the probability of the second.
///
/// Memory, besides the image's own, is bounded by the tile, and the tiles are invisible in the result: margins hold the
/// network's reach and the peak window, cores share out the pixels, and the relative threshold is applied after the
/// last tile. docs/numerics.md says to which bit.
template <class Device = Cpu>
class Detector {
 public:
  /// normalization: the one that the network was trained with. tiles: a margin that is given must be at least the
  /// network's reach (MicroNet: 118) and what the peaks look at.
  Detector(const nn::Model<Device>& model, LocalMaxima peaks = {}, data::Normalization normalization = {},
           TileGrid tiles = {}, Averaging averaging = {})
      : program_(nn::for_inference(model)),
        peaks_(peaks),
        normalization_(std::move(normalization)),
        tiles_(tiles),
        averaging_(averaging) {
    peaks_.check(), averaging_.check();
    if (!std::is_same_v<Device, Cpu>) tiles_.uniform = true;
    if (model.out_channels() > 2)
      throw ArgumentError(message("Detector: the network has ", model.out_channels(), " maps, wanted 1 or 2"));
    if (model.out_channels() == 2 && peaks_.absolute > 1)
      throw ArgumentError(
          message("Detector: the least response is ", peaks_.absolute,
                  ", which a pixel classifier's probability never reaches: set LocalMaxima::absolute to 1 "
                  "at most, and full_scale to 1"));
    const Shape large{1, 512, 512, model.in_channels()};
    const auto reach = model.receptive_field(large);
    const Index wanted = std::max(reach.before, reach.after) + peaks.reach() + 1;
    tiles_.alignment = model.coarsest_stride(large);
    if (tiles.margin == TileGrid::kAutomatic) tiles_.margin = data::round_up(wanted, tiles_.alignment);
    if (tiles_.margin < wanted)
      throw ArgumentError(message("Detector: margin is ", tiles.margin, " pixels, must be at least ", wanted));
  }

  const TileGrid& tiles() const { return tiles_; }
  Context<Device>& context() const { return *program_.context; }

  /// What an image on the host, in reference pixels, is normalised with.
  data::ChannelStatistics statistics(View<const float> image) const {
    return data::statistics_of(context().host(), normalization_, image);
  }

  /// The network's output for one tile of an image on the host: `read` of the normalised image, reflected where it
  /// reaches beyond `read` to a multiple of the stride. [1, read height, read width, maps], valid until the next one.
  Tensor<Device> response(View<const float> image, const data::ChannelStatistics& statistics,
                          const Rectangle& read) const {
    return on_device(image, read, [&](View<const float> tile, const Rectangle& at) {
      return resident_response(tile, statistics, at);
    });
  }
  /// The same of an image in the device's memory.
  Tensor<Device> resident_response(View<const float> image, const data::ChannelStatistics& statistics,
                                   const Rectangle& read) const {
    TilePass& pass = pass_for(padded(image, read));
    prepare(image, statistics, read, pass.input);
    pass.work.run();
    return pass.output.window(0, 0, read.height, read.width);
  }

  /// All peaks of at least the absolute threshold, with their responses, in pixels of this image (reference pixels), in
  /// row-major order of their pixels.
  std::vector<Nucleus> candidates(View<const float> image, const data::ChannelStatistics& statistics) const {
    return candidates_of(image.shape, [&](const Rectangle& read) { return tile_map(image, statistics, read); });
  }
  /// The same for an image in the device's memory; only the points come back.
  std::vector<Nucleus> resident_candidates(View<const float> image, const data::ChannelStatistics& statistics) const {
    return candidates_of(image.shape,
                         [&](const Rectangle& read) { return resident_tile_map(image, statistics, read); });
  }

  /// The whole map in which peaks are sought, put together on the host from the tiles' cores: [1, H, W, 1].
  Tensor<Cpu> map(View<const float> image, const data::ChannelStatistics& statistics) const {
    Tensor<Cpu> whole = context().host().make({1, image.shape.h, image.shape.w, 1});
    for (const TileRegion& region : tiles_.regions(image.shape.w, image.shape.h)) {
      const Tensor<Device> tile = tile_map(image, statistics, region.read);
      const Rectangle &core = region.core, &read = region.read;
      Tensor<Device> dense = context().make({1, core.height, core.width, 1});
      ops::copy<float>(
          context(),
          tile.template view<const float>().window(core.y - read.y, core.x - read.x, core.height, core.width),
          dense.template view<float>());
      const Tensor<Cpu> part = to_host(context(), dense);
      ops::copy<float>(context().host(), part.template view<const float>(),
                       whole.template view<float>().window(core.y, core.x, core.height, core.width));
    }
    return whole;
  }

  /// The nuclei of an image with values in [0, 1]; `scale` takes it to reference pixels. Positions in its own pixels,
  /// scores by the peaks' full scale.
  Detection detect(const Image& image, double scale = 1.0) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      std::vector<Nucleus> nuclei = candidates(view, statistics);
      keep_relative(nuclei, peaks_.relative);
      return nuclei;
    });
  }
  /// The same by a rule that looks at the whole map at once: ComponentCentroids, or one's own.
  template <PeakFinder Finder>
  Detection detect(const Image& image, double scale, const Finder& finder) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      const Tensor<Cpu> whole = map(view, statistics);
      return peaks_of(context().host(), whole.template view<const float>(), finder);
    });
  }
  std::vector<Nucleus> operator()(const Image& image, double scale = 1.0) const { return detect(image, scale).nuclei; }
  template <PeakFinder Finder>
  std::vector<Nucleus> operator()(const Image& image, double scale, const Finder& finder) const {
    return detect(image, scale, finder).nuclei;
  }

 private:
  /// The network on tiles of one shape.
  struct TilePass {
    TilePass(nn::InferenceProgram<Device> of, const Shape& shape)
        : program(std::move(of)), input(program.context->make(shape)), work(*program.context, [this] {
            output = Tensor<Device>();
            output = program.forward(input);
          }) {}
    nn::InferenceProgram<Device> program;
    Tensor<Device> input, output;
    CapturedWork<Device> work;
  };

  /// The pass of a shape, kept for the next tile of that shape. A device prepares for a shape and keeps a few; the CPU
  /// has nothing to prepare, and memory for one.
  TilePass& pass_for(const Shape& shape) const {
    constexpr std::size_t kMost = std::is_same_v<Device, Cpu> ? 1 : 4;
    for (const auto& pass : passes_)
      if (pass->input.shape() == shape) return *pass;
    if (passes_.size() >= kMost) passes_.erase(passes_.begin());
    return *passes_.emplace_back(std::make_unique<TilePass>(program_, shape));
  }

  Shape padded(View<const float> image, const Rectangle& read) const {
    return {1, data::round_up(read.height, tiles_.alignment), data::round_up(read.width, tiles_.alignment),
            image.shape.c};
  }
  void prepare(View<const float> image, const data::ChannelStatistics& statistics, const Rectangle& read,
               Tensor<Device>& tile) const {
    const View<float> x = tile.template view<float>();
    data::copy_reflected(context(), image, read.y, read.x, x);
    data::normalize(context(), x, statistics, x);
  }
  /// Calls body(image in the device's memory, where `read` lies in it).
  template <class Body>
  Tensor<Device> on_device(View<const float> image, const Rectangle& read, const Body& body) const {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return body(image, read);
    } else {
      const Tensor<Device> tile = to_device(context(), image.window(read.y, read.x, read.height, read.width));
      return body(tile.template view<const float>(), Rectangle{0, 0, read.width, read.height});
    }
  }

  /// The map in which peaks are sought, of one tile: [1, read height, read width, 1].
  Tensor<Device> tile_map(View<const float> image, const data::ChannelStatistics& statistics,
                          const Rectangle& read) const {
    return on_device(image, read, [&](View<const float> tile, const Rectangle& at) {
      return resident_tile_map(tile, statistics, at);
    });
  }
  Tensor<Device> resident_tile_map(View<const float> image, const data::ChannelStatistics& statistics,
                                   const Rectangle& read) const {
    if (averaging_.over == 1) return nucleus_map(context(), resident_response(image, statistics, read));
    Tensor<Device> tile = context().make(padded(image, read));
    prepare(image, statistics, read, tile);
    const auto plain = std::as_const(tile).template view<const float>();
    Tensor<Device> mean = context().zeros({1, read.height, read.width, 1});
    for (const Orientation& way : kOrientations) {
      TilePass& pass = pass_for(way.of(tile.shape()));
      reorient(context(), plain, way, pass.input.template view<float>());
      pass.work.run();
      const Tensor<Device> map = nucleus_map(context(), pass.output);
      add_turned_back(context(), map.template view<const float>(), way, 1.0f / 8, mean.template view<float>());
    }
    return mean;
  }

  template <class Find>
  Detection in_reference_pixels(const Image& image, double scale, const Find& find) const {
    Image resampled;
    if (scale != 1) resampled = data::resample(context().host(), image, scale);
    const View<const float> view = view_of(scale != 1 ? resampled : image);
    Detection found{{}, statistics(view)};
    found.nuclei = find(view, found.statistics);
    for (Nucleus& n : found.nuclei) n.centre = data::to_source(n.centre, scale), n.score = peaks_.score(n.score);
    return found;
  }

  template <class Map>
  std::vector<Nucleus> candidates_of(const Shape& image, const Map& map_of) const {
    std::vector<Nucleus> all;
    LocalMaxima peaks = peaks_;
    peaks.keep_border = true;
    for (const TileRegion& region : tiles_.regions(image.w, image.h)) {
      const Tensor<Device> map = map_of(region.read);
      for (const Peak& p : find_peak_pixels(context(), map.template view<const float>(), peaks)) {
        const double x = static_cast<double>(p.x + region.read.x), y = static_cast<double>(p.y + region.read.y);
        if (!region.core.holds(x, y)) continue;  // the pixel decides which core a peak belongs to
        if (peaks_.keep_border || inside({x, y}, image)) all.push_back({{x + p.offset.x, y + p.offset.y}, p.score});
      }
    }
    const auto pixel = [](const Nucleus& n) { return std::pair(std::round(n.centre.y), std::round(n.centre.x)); };
    std::sort(all.begin(), all.end(), [&](const Nucleus& a, const Nucleus& b) { return pixel(a) < pixel(b); });
    return all;
  }
  bool inside(Point p, const Shape& s) const {
    const double edge = static_cast<double>(peaks_.radius);
    return p.x >= edge && p.y >= edge && p.x < static_cast<double>(s.w) - edge && p.y < static_cast<double>(s.h) - edge;
  }

  nn::InferenceProgram<Device> program_;
  LocalMaxima peaks_;
  data::Normalization normalization_;
  TileGrid tiles_;
  Averaging averaging_;
  mutable std::vector<std::unique_ptr<TilePass>> passes_;
};

}  // namespace nucdet::detect

#if defined(NUCDET_PREBUILT) || defined(NUCDET_WITH_CUDA)
#include "nucdet/nn/prebuilt.hpp"
#endif

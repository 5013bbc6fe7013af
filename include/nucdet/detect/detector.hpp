#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/dataset.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/peak_finder.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/nn/passes.hpp"

namespace nucdet::detect {

/// Detects nuclei in images of any size: normalised by the whole image, reflected to a multiple of the network's
/// coarsest stride, in tiles if large. The network regresses one map, or classifies pixels with two (background and
/// nucleus before the softmax), whose map is the probability of the second.
///
/// Memory, besides the image's own, is bounded by the tile, and the tiles are invisible in the result: margins hold the
/// network's reach and the peak window, cores share out the pixels, and the relative threshold is applied after the
/// last tile.
template <class Device = Cpu>
class Detector {
 public:
  /// tiles: a margin that is given must be at least the network's reach (MicroNet: 118) and what the peaks look at.
  Detector(const nn::Model<Device>& model, LocalMaxima peaks, TileGrid tiles = {})
      : program_(nn::for_inference(model)), peaks_(peaks), tiles_(tiles) {
    peaks_.check();
    if (!std::is_same_v<Device, Cpu>) tiles_.uniform = true;
    if (model.out_channels() > 2)
      throw ArgumentError(message("Detector: the network has ", model.out_channels(), " maps, wanted 1 or 2"));
    const Shape large{1, 512, 512, model.in_channels()};
    const auto reach = model.receptive_field(large);
    const Index wanted = std::max(reach.before, reach.after) + peaks.reach() + 1;
    tiles_.alignment = model.coarsest_stride(large);
    if (tiles.margin == TileGrid::kAutomatic) tiles_.margin = data::round_up(wanted, tiles_.alignment);
    if (tiles_.margin < wanted)
      throw ArgumentError(message("Detector: margin is ", tiles.margin, " pixels, must be at least ", wanted));
  }

  LocalMaxima& peaks() { return peaks_; }
  Context<Device>& context() const { return *program_.context; }

  /// The network's output for one tile of an image on the host: `read` of the normalised image, reflected where it
  /// reaches beyond `read` to a multiple of the stride. [1, read height, read width, maps], valid until the next one.
  Tensor<Device> response(View<const float> image, const data::ChannelStatistics& statistics,
                          const Rectangle& read) const {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return resident_response(image, statistics, read);
    } else {
      const Tensor<Device> tile = to_device(context(), image.window(read.y, read.x, read.height, read.width));
      return resident_response(tile.template view<const float>(), statistics, {0, 0, read.width, read.height});
    }
  }

  /// The same of an image in the device's memory.
  Tensor<Device> resident_response(View<const float> image, const data::ChannelStatistics& statistics,
                                   const Rectangle& read) const {
    const Shape padded{1, data::round_up(read.height, tiles_.alignment), data::round_up(read.width, tiles_.alignment),
                       image.shape.c};
    TilePass& pass = pass_for(padded);
    const View<float> x = pass.input.template view<float>();
    data::copy_reflected(context(), image, read.y, read.x, x);
    data::normalize(context(), x, statistics, x);
    pass.work.run();
    return pass.output.window(0, 0, read.height, read.width);
  }

  /// All peaks above the absolute floor, in pixels of this image (reference pixels), in row-major order of their
  /// pixels.
  std::vector<Nucleus> candidates(View<const float> image, const data::ChannelStatistics& statistics) const {
    return candidates_of(image.shape, [&](const Rectangle& read) { return response(image, statistics, read); });
  }
  /// The same for an image in the device's memory; only the points come back.
  std::vector<Nucleus> resident_candidates(View<const float> image, const data::ChannelStatistics& statistics) const {
    return candidates_of(image.shape,
                         [&](const Rectangle& read) { return resident_response(image, statistics, read); });
  }

  /// The whole map in which peaks are sought, put together on the host from the tiles' cores: [1, H, W, 1].
  Tensor<Cpu> map(View<const float> image, const data::ChannelStatistics& statistics) const {
    Tensor<Cpu> whole = context().host().make({1, image.shape.h, image.shape.w, 1});
    for (const TileRegion& region : tiles_.regions(image.shape.w, image.shape.h)) {
      const Tensor<Device> tile = nucleus_map(context(), response(image, statistics, region.read));
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

  /// The nuclei of an image with values in [0, 1]; `scale` takes it to reference pixels. Positions in its own pixels.
  std::vector<Nucleus> operator()(const Image& image, double scale = 1.0) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      std::vector<Nucleus> nuclei = candidates(view, statistics);
      keep_relative(nuclei, peaks_.relative);
      return nuclei;
    });
  }
  /// The same by a rule that looks at the whole map at once: ComponentCentroids, or one's own.
  template <PeakFinder Finder>
  std::vector<Nucleus> operator()(const Image& image, double scale, const Finder& finder) const {
    return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      const Tensor<Cpu> whole = map(view, statistics);
      return peaks_of(context().host(), whole.template view<const float>(), finder);
    });
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

  template <class Find>
  std::vector<Nucleus> in_reference_pixels(const Image& image, double scale, const Find& find) const {
    Image resampled;
    if (scale != 1) resampled = data::resample(context().host(), image, scale);
    const View<const float> view = view_of(scale != 1 ? resampled : image);
    std::vector<Nucleus> nuclei = find(view, data::statistics_of(context().host(), view));
    for (Nucleus& n : nuclei) n.centre = data::to_source(n.centre, scale);
    return nuclei;
  }

  template <class Response>
  std::vector<Nucleus> candidates_of(const Shape& image, const Response& response) const {
    std::vector<Nucleus> all;
    LocalMaxima peaks = peaks_;
    peaks.keep_border = true;
    for (const TileRegion& region : tiles_.regions(image.w, image.h)) {
      const Tensor<Device> map = nucleus_map(context(), response(region.read));
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
  TileGrid tiles_;
  mutable std::vector<std::unique_ptr<TilePass>> passes_;
};

}  // namespace nucdet::detect

#if defined(NUCDET_PREBUILT) || defined(NUCDET_WITH_CUDA)
#include "nucdet/nn/prebuilt.hpp"
#endif

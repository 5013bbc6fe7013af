#pragma once
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "nucdet/data/dataset.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/nn/passes.hpp"

namespace nucdet::detect {

/// Detects nuclei in images of any size: normalised by the whole image, reflected to a multiple of 16, in tiles if
/// large.
///
/// Memory, besides the image's own, is bounded by the tile, and the tiles are invisible in the result: margins hold the
/// network's reach and the peak window, cores share out the pixels, and the relative threshold is applied after the
/// last tile.
class Detector {
 public:
  static constexpr Index kAlignment = 16;  // the deepest stride of the built-in networks

  /// margin: at least the network's reach (MicroNet: 118) plus the peak radius and 1. tile: pixels read along a side.
  Detector(const nn::Model<Cpu>& model, LocalMaxima peaks, TileGrid tiles = {})
      : program_(nn::for_inference(model)), peaks_(peaks), tiles_(tiles) {
    peaks_.check();
    if (model.out_channels() != 1)
      throw ArgumentError(message("Detector: the network has ", model.out_channels(), " maps, wanted 1"));
    const auto reach = model.receptive_field({1, 512, 512, model.in_channels()});
    const Index wanted = std::max(reach.before, reach.after) + peaks.radius + 1;
    if (tiles.margin < wanted)
      throw ArgumentError(message("Detector: margin is ", tiles.margin, " pixels, must be at least ", wanted));
  }

  LocalMaxima& peaks() { return peaks_; }
  Context<Cpu>& context() const { return *program_.context; }

  /// The response of one tile of a normalised image: the network over region.read, reflected where it reaches beyond
  /// the image to a multiple of 16. [1, read height, read width, 1].
  Tensor<Cpu> response(View<const float> image, const data::ChannelStatistics& statistics,
                       const Rectangle& read) const {
    const Shape padded{1, data::round_up(read.height, kAlignment), data::round_up(read.width, kAlignment),
                       image.shape.c};
    Tensor<Cpu> x = context().make(padded);
    data::copy_reflected(context(), image, read.y, read.x, x.view<float>());
    data::normalize(context(), x.view<float>(), statistics, x.view<float>());
    return program_.forward(x).window(0, 0, read.height, read.width);
  }

  /// All peaks above the absolute floor, in pixels of this image (reference pixels), in row-major order of their
  /// pixels.
  std::vector<Nucleus> candidates(View<const float> image, const data::ChannelStatistics& statistics) const {
    std::vector<Nucleus> all;
    LocalMaxima at_pixels = peaks_;
    at_pixels.keep_border = true, at_pixels.refine = false;
    for (const TileRegion& region : tiles_.regions(image.shape.w, image.shape.h)) {
      const Tensor<Cpu> response = this->response(image, statistics, region.read);
      const View<const float> map = response.view<const float>();
      for (Nucleus n : find_peaks(context(), map, at_pixels)) {
        const Index x = static_cast<Index>(n.centre.x), y = static_cast<Index>(n.centre.y);
        const Point offset = peaks_.refine ? vertex_offset(map, y, x) : Point{};
        const double px = static_cast<double>(x + region.read.x), py = static_cast<double>(y + region.read.y);
        if (!region.core.holds(px, py)) continue;  // the pixel decides which core a peak belongs to
        n.centre = {px + offset.x, py + offset.y};
        if (peaks_.keep_border || inside({px, py}, image.shape)) all.push_back(n);
      }
    }
    const auto pixel = [](const Nucleus& n) { return std::pair(std::round(n.centre.y), std::round(n.centre.x)); };
    std::sort(all.begin(), all.end(), [&](const Nucleus& a, const Nucleus& b) { return pixel(a) < pixel(b); });
    return all;
  }

  /// The nuclei of an image with values in [0, 1]; `scale` takes it to reference pixels. Positions in its own pixels.
  std::vector<Nucleus> operator()(const Image& image, double scale = 1.0) const {
    Image resampled;
    if (scale != 1) resampled = data::resample(context(), image, scale);
    const View<const float> view = view_of(scale != 1 ? resampled : image);
    std::vector<Nucleus> nuclei = candidates(view, data::statistics_of(context(), view));
    keep_relative(nuclei, peaks_.relative);
    for (Nucleus& n : nuclei) n.centre = data::to_source(n.centre, scale);
    return nuclei;
  }

 private:
  bool inside(Point p, const Shape& s) const {
    const double edge = static_cast<double>(peaks_.radius);
    return p.x >= edge && p.y >= edge && p.x < static_cast<double>(s.w) - edge && p.y < static_cast<double>(s.h) - edge;
  }

  nn::InferenceProgram<Cpu> program_;
  LocalMaxima peaks_;
  TileGrid tiles_;
};

}  // namespace nucdet::detect

#ifdef NUCDET_PREBUILT
#include "nucdet/nn/prebuilt.hpp"
#endif

#pragma once
/// The definitions of Detector's members: nucdet::cpu and nucdet::cuda have them ready-made.
#include "nucdet/detect/detector.hpp"

namespace nucdet::detect {

template <class Device>
Detector<Device>::Detector(const nn::Model<Device>& model, LocalMaxima peaks, data::Normalization normalization,
                           TileGrid tiles, Averaging averaging)
    : Detector(model.context(), std::make_shared<const nn::InferenceProgram<Device>>(nn::for_inference(model)), peaks,
               std::move(normalization), tiles, averaging) {}

template <class Device>
Detector<Device>::Detector(Context<Device>& context, Network network, LocalMaxima peaks,
                           data::Normalization normalization, TileGrid tiles, Averaging averaging)
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

template <class Device>
data::ChannelStatistics Detector<Device>::statistics(View<const float> image) const {
  return data::statistics_of(context().host(), normalization_, image);
}

template <class Device>
std::vector<Nucleus> Detector<Device>::candidates(View<const float> image, const data::ChannelStatistics& statistics,
                                                  const Watch& watch) const {
  return candidates_of(image.shape, watch,
                       [&](const TileRegion& tile) { return network_.maps(image, statistics, look_of(tile)); });
}

template <class Device>
std::vector<Nucleus> Detector<Device>::resident_candidates(View<const float> image,
                                                           const data::ChannelStatistics& statistics,
                                                           const Watch& watch) const {
  return candidates_of(image.shape, watch, [&](const TileRegion& tile) {
    return network_.resident_maps(image, statistics, look_of(tile));
  });
}

template <class Device>
std::vector<Nucleus> Detector<Device>::candidates(const data::ImageView& image,
                                                  const data::ChannelStatistics& statistics, const Watch& watch) const {
  image.check();
  return candidates_of({1, image.height, image.width, image.channels}, watch,
                       [&](const TileRegion& tile) { return network_.maps(image, statistics, look_of(tile)); });
}

template <class Device>
std::vector<Nucleus> Detector<Device>::peaks_in(const std::vector<Tensor<Device>>& outputs) const {
  [[maybe_unused]] const auto turn = this->turn();
  const TileMaps<Device> maps = network_.maps_of(outputs);
  std::vector<Nucleus> nuclei = find_peaks(context(), maps.map.template view<const float>(), peaks_);
  give_classes(context(), maps, nuclei);
  return nuclei;
}

template <class Device>
Tensor<Cpu> Detector<Device>::map(View<const float> image, const data::ChannelStatistics& statistics) const {
  return whole_maps(image, statistics).map;
}

template <class Device>
Detection Detector<Device>::detect(const Image& image, double scale, const Watch& watch) const {
  return in_reference_pixels(image, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
    return relative(candidates(view, statistics, watch));
  });
}

template <class Device>
Detection Detector<Device>::detect(const data::ImageView& image, double scale, const Watch& watch) const {
  return detect(image, {0, 0, image.width, image.height}, scale, watch);
}

template <class Device>
Detection Detector<Device>::detect(const data::ImageView& image, const Rectangle& within, double scale,
                                   const Watch& watch) const {
  image.check(), data::check_scale(scale);
  const auto at = [scale](Index pixel, double (*to_whole)(double)) {
    return static_cast<Index>(to_whole(static_cast<double>(pixel) * scale));
  };
  const Index x = at(within.x, std::floor), y = at(within.y, std::floor);
  const Rectangle reference{x, y, at(within.x + within.width, std::ceil) - x,
                            at(within.y + within.height, std::ceil) - y};
  const auto* constants = std::get_if<data::FixedNormalization>(&normalization_);
  if (constants == nullptr || (scale != 1 && network()->in_channels != 3)) {
    const Image all = data::to_image(context().host(), image, network()->in_channels);
    return in_reference_pixels(all, scale, [&](View<const float> view, const data::ChannelStatistics& statistics) {
      return relative(candidates_of(view.shape, watch, reference, [&](const TileRegion& tile) {
        return network_.maps(view, statistics, look_of(tile));
      }));
    });
  }
  const data::ChannelStatistics& statistics = constants->statistics;
  std::vector<Nucleus> found =
      scale != 1 ? scaled_candidates(image, scale, statistics, watch, reference)
                 : candidates_of({1, image.height, image.width, image.channels}, watch, reference,
                                 [&](const TileRegion& t) { return network_.maps(image, statistics, look_of(t)); });
  return finished({relative(std::move(found)), statistics}, scale);
}

/// Tiles are resampled one by one, so that memory does not grow with the scale. Their padding is a part of them as long
/// as it lies in the image: a pass sees the same numbers as it does of a whole that was resampled beforehand.
template <class Device>
std::vector<Nucleus> Detector<Device>::scaled_candidates(const data::ImageView& image, double scale,
                                                         const data::ChannelStatistics& statistics, const Watch& watch,
                                                         const Rectangle& within) const {
  data::check_scaled_size(image.height, image.width, scale, data::kMostInParts);
  const Shape whole{1, data::scaled_size(image.height, scale), data::scaled_size(image.width, scale), 3};
  return candidates_of(whole, watch, within, [&](const TileRegion& tile) {
    const Rectangle part = shown(whole, tile);
    const Image pixels = data::resample_part(context().host(), image, scale, part.y, part.x, part.height, part.width);
    return network_.maps(view_of(pixels), statistics, look_of(tile).alone());
  });
}

template <class Device>
void Detector<Device>::settle_tiles() {
  if (!std::is_same_v<Device, Cpu>) tiles_.uniform = true;
  const auto& reach = network()->reach;
  const Index wanted = std::max(reach.before, reach.after) + peaks_.reach() + 1, given = tiles_.margin;
  tiles_.alignment = network()->coarsest_stride;
  if (given == TileGrid::kAutomatic) tiles_.margin = data::round_up(wanted, tiles_.alignment);
  if (tiles_.margin < wanted)
    throw ArgumentError(message("Detector: margin is ", given, " pixels, must be at least ", wanted));
  if (tiles_.cell == TileGrid::kAutomatic) tiles_.cell = fitting_cell();
}

/// Larger tiles have less margin for each pixel. By the network alone: results must not depend on the machine.
template <class Device>
Index Detector<Device>::fitting_cell() {
  constexpr Index kMostElements = 110'000'000;
  for (tiles_.cell = 2048; tiles_.cell > 1024; tiles_.cell -= 512)
    if (plan().held_elements <= kMostElements) break;
  return tiles_.cell;
}

template <class Device>
TileMaps<Cpu> Detector<Device>::whole_maps(View<const float> image, const data::ChannelStatistics& statistics,
                                           const Watch& watch) const {
  [[maybe_unused]] const auto turn = this->turn();
  TileMaps<Cpu> whole;
  Index done = 0;
  const std::vector<TileRegion> tiles = regions(image.shape);
  for (const TileRegion& region : tiles) {
    watch.step("Detector", done++, static_cast<Index>(tiles.size()));
    const TileMaps<Device> core = network_.maps(image, statistics, {region.read, region.core});
    put_core(core.map, region.core, image.shape, whole.map),
        put_core(core.scores, region.core, image.shape, whole.scores);
  }
  return whole;
}

template <class Device>
void Detector<Device>::put_core(const Tensor<Device>& map, const Rectangle& core, const Shape& image,
                                Tensor<Cpu>& whole) const {
  if (!map) return;
  if (!whole) whole = context().host().make({1, image.h, image.w, map.shape().c});
  Tensor<Device> dense = context().make(map.shape());
  ops::copy<float>(context(), map.template view<const float>(), dense.template view<float>());
  const Tensor<Cpu> part = to_host(context(), dense);
  ops::copy<float>(context().host(), part.template view<const float>(),
                   whole.template view<float>().window(core.y, core.x, core.height, core.width));
}

template <class Device>
std::vector<Nucleus> Detector<Device>::relative(std::vector<Nucleus> nuclei) const {
  keep_relative(nuclei, peaks_.relative);
  return nuclei;
}

template <class Device>
Detection Detector<Device>::finished(Detection found, double scale) const {
  for (Nucleus& n : found.nuclei) n.centre = data::to_source(n.centre, scale), n.score = peaks_.score(n.score);
  return found;
}

template <class Device>
bool Detector<Device>::inside(Point p, const Shape& s) const {
  const double edge = static_cast<double>(peaks_.radius);
  return p.x >= edge && p.y >= edge && p.x < static_cast<double>(s.w) - edge && p.y < static_cast<double>(s.h) - edge;
}

template <class Device>
std::vector<TileRegion> Detector<Device>::regions(const Shape& image) const {
  std::vector<TileRegion> all = tiles_.regions(image.w, image.h);
  if (all.size() > 1 && !network()->reach.bounded)
    throw ArgumentError(message("Detector: a layer of the network looks at the whole image, and this one of ", image,
                                " has ", all.size(), " tiles: set TileGrid::cell to its size"));
  return all;
}

template <class Device>
nn::Plan Detector<Device>::plan() const {
  const Rectangle read{0, 0, tiles_.window(), tiles_.window()};
  const Look look = look_of({read, {tiles_.margin, tiles_.margin, tiles_.cell, tiles_.cell}});
  return network()->program.plan(network_.padded(read), look.within());
}

template <class Device>
Rectangle Detector<Device>::shown(const Shape& image, const TileRegion& tile) const {
  const Rectangle& read = tile.read;
  const Shape padded = network_.padded(read);
  return {read.x, read.y, std::min(padded.w, image.w - read.x), std::min(padded.h, image.h - read.y)};
}

template <class Device>
std::vector<Nucleus> Detector<Device>::candidates_in(const Shape& image, const TileRegion& tile, View<const float> part,
                                                     const data::ChannelStatistics& statistics) const {
  [[maybe_unused]] const auto turn = this->turn();
  return peaks_in_core(image, tile, network_.maps(part, statistics, look_of(tile).alone()));
}

template <class Device>
std::vector<Nucleus> Detector<Device>::candidates_in(const Shape& image, const TileRegion& tile,
                                                     const data::ImageView& part,
                                                     const data::ChannelStatistics& statistics) const {
  [[maybe_unused]] const auto turn = this->turn();
  return peaks_in_core(image, tile, network_.maps(part, statistics, look_of(tile).alone()));
}

template <class Device>
std::vector<Nucleus> Detector<Device>::peaks_in_core(const Shape& image, const TileRegion& tile,
                                                     const TileMaps<Device>& maps) const {
  LocalMaxima peaks = peaks_;
  peaks.keep_border = true;
  const Rectangle of = look_of(tile).wanted;
  std::vector<Nucleus> nuclei;
  std::vector<Point> centres;
  for (const Peak& p : find_peak_pixels(context(), maps.map.template view<const float>(), peaks)) {
    const Point place{static_cast<double>(p.x + of.x), static_cast<double>(p.y + of.y)};
    if (!tile.core.holds(place.x, place.y)) continue;  // the pixel decides which core a peak belongs to
    if (!peaks_.keep_border && !inside(place, image)) continue;
    nuclei.push_back({{static_cast<double>(p.x), static_cast<double>(p.y)}, p.score});
    centres.push_back({place.x + p.offset.x, place.y + p.offset.y});
  }
  give_classes(context(), maps, nuclei);
  for (std::size_t k = 0; k < nuclei.size(); ++k) nuclei[k].centre = centres[k];
  return nuclei;
}

/// The peaks of a core depend on the map around it as far as they look, and no other map is made.
template <class Device>
Look Detector<Device>::look_of(const TileRegion& tile) const {
  const Index reach = peaks_.reach() + 1;
  const Rectangle &read = tile.read, &core = tile.core;
  const Index left = std::max(read.x, core.x - reach), top = std::max(read.y, core.y - reach);
  const Index right = std::min(read.x + read.width, core.x + core.width + reach),
              bottom = std::min(read.y + read.height, core.y + core.height + reach);
  return {read, {left, top, right - left, bottom - top}};
}

template <class Device>
template <class Maps>
std::vector<Nucleus> Detector<Device>::candidates_of(const Shape& image, const Watch& watch, const Rectangle& within,
                                                     const Maps& maps_of_tile) const {
  [[maybe_unused]] const auto turn = this->turn();
  std::vector<Nucleus> all;
  std::vector<TileRegion> tiles = regions(image);
  // A nucleus's centre lies within its peak's pixel, which is the core's.
  std::erase_if(tiles, [&](const TileRegion& tile) {
    const Rectangle& core = tile.core;
    return core.x >= within.x + within.width || core.y >= within.y + within.height || core.x + core.width <= within.x ||
           core.y + core.height <= within.y;
  });
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    watch.step("Detector", static_cast<Index>(i), static_cast<Index>(tiles.size()));
    const std::vector<Nucleus> found = peaks_in_core(image, tiles[i], maps_of_tile(tiles[i]));
    all.insert(all.end(), found.begin(), found.end());
  }
  if (watch.progress) watch.progress(static_cast<Index>(tiles.size()), static_cast<Index>(tiles.size()));
  const auto pixel = [](const Nucleus& n) { return std::pair(std::round(n.centre.y), std::round(n.centre.x)); };
  std::sort(all.begin(), all.end(), [&](const Nucleus& a, const Nucleus& b) { return pixel(a) < pixel(b); });
  return all;
}

}  // namespace nucdet::detect

#pragma once
#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "nucdet/core/bounded_queue.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/slide/slide_plan.hpp"

/// Slides of any size through a detector: a thread reads and decodes the next tiles while the network is at work on
/// one.
namespace nucdet::slide {

/// A tile on its way: what was read of the plan's level.
struct TilePixels {
  Index tile = 0;
  Rectangle source;                 ///< pixels of the level
  std::vector<std::uint8_t> rgb{};  ///< rows without gaps
};

/// Tiles that are read before they are wanted.
struct ReadAhead {
  std::size_t tiles = 2;
};

/// Of one tile, in reference pixels.
template <class Device>
std::vector<Nucleus> candidates_of(const detect::Detector<Device>& detector, const SlidePlan& plan,
                                   const data::ChannelStatistics& statistics, const detect::TileRegion& tile,
                                   const TilePixels& pixels) {
  const Rectangle &source = pixels.source, shown = detector.shown(plan.reference, tile);
  const data::ImageView view(pixels.rgb.data(), source.height, source.width);
  if (plan.scale == 1) return detector.candidates_in(plan.reference, tile, view, statistics);
  const Image part =
      data::resample_part(detector.context().host(), {view, source.y, source.x, plan.level_height, plan.level_width},
                          plan.scale, shown.y, shown.x, shown.height, shown.width);
  return detector.candidates_in(plan.reference, tile, view_of(part), statistics);
}

/// Looks at the tiles with these numbers, in their order, and calls sink(number, nuclei) after each: its candidates by
/// the detector's absolute threshold, in pixels of level 0, with raw responses (Detector::relative and
/// LocalMaxima::score make results of all of them together). Memory: ReadAhead::tiles + 2 tiles of source pixels, one
/// of reference pixels as floats, and the network's own; none of it grows with the slide. Reading ends before this
/// returns, also by an error. Throws IoError of the reader, Stopped by the watch, which counts the tiles.
template <class Device, class Sink>
void detect_tiles(const detect::Detector<Device>& detector, const Slide& slide, const SlidePlan& plan,
                  const data::ChannelStatistics& statistics, const std::vector<detect::TileRegion>& tiles,
                  std::span<const Index> numbers, const Sink& sink, const Watch& watch = {}, ReadAhead ahead = {}) {
  BoundedQueue<TilePixels> queue(std::max<std::size_t>(1, ahead.tiles));
  std::jthread reader([&] {
    try {
      for (const Index number : numbers) {
        const detect::TileRegion& tile = tiles[static_cast<std::size_t>(number)];
        TilePixels pixels{number, plan.source_of(detector.shown(plan.reference, tile)), {}};
        pixels.rgb.resize(static_cast<std::size_t>(pixels.source.width * pixels.source.height * 3));
        slide.read(plan.level, pixels.source, pixels.rgb.data());
        if (!queue.push(std::move(pixels))) return;
      }
      queue.finish();
    } catch (...) { queue.finish(std::current_exception()); }
  });
  struct Closed {
    BoundedQueue<TilePixels>& queue;
    ~Closed() { queue.close(); }
  } closed{queue};

  const Index all = static_cast<Index>(numbers.size());
  for (Index done = 0; done < all; ++done) {
    watch.step("slide", done, all);
    const std::optional<TilePixels> pixels = queue.pop();
    if (!pixels) break;
    const detect::TileRegion& tile = tiles[static_cast<std::size_t>(pixels->tile)];
    std::vector<Nucleus> nuclei = candidates_of(detector, plan, statistics, tile, *pixels);
    for (Nucleus& n : nuclei) n.centre = plan.to_level0(n.centre);
    sink(pixels->tile, std::move(nuclei));
  }
  if (watch.progress) watch.progress(all, all);
}

}  // namespace nucdet::slide

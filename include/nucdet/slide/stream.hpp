#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "nucdet/core/bounded_queue.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/slide/slide_plan.hpp"

/// Slides of any size through a detector: threads read and decode the next tiles while the network is at work.
namespace nucdet::slide {

/// A tile on its way: what was read of the plan's level.
struct TilePixels {
  Index tile = 0;
  Rectangle source;                 ///< pixels of the level
  std::vector<std::uint8_t> rgb{};  ///< rows without gaps
};

/// Tiles that are read before they are wanted, by so many threads.
struct ReadAhead {
  std::size_t tiles = 2, readers = 1;
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

namespace detail {

/// Threads that read tiles into a queue, in about their order. They end with the last tile, with the first error, or
/// when nobody takes any more, which this object's end says.
class TileReaders {
 public:
  /// shown: of the source, pixels of the level, by a tile's number. Throws std::system_error where the system has no
  /// thread left.
  TileReaders(const Slide& slide, Index level, std::function<Rectangle(Index)> shown, std::span<const Index> numbers,
              ReadAhead ahead)
      : slide_(&slide),
        level_(level),
        shown_(std::move(shown)),
        numbers_(numbers),
        queue_(std::max<std::size_t>(1, ahead.tiles)),
        reading_(std::max<std::size_t>(1, ahead.readers)) {
    try {
      for (std::size_t i = reading_; i > 0; --i) threads_.emplace_back([this] { read(); });
    } catch (...) {
      queue_.close();  // else those that have begun would wait for who takes their tiles
      throw;
    }
  }
  ~TileReaders() { queue_.close(); }

  std::optional<TilePixels> next() { return queue_.pop(); }
  /// No tile is wanted any more.
  void close() { queue_.close(); }

 private:
  void read() {
    try {
      for (std::size_t i = next_++; i < numbers_.size(); i = next_++) {
        TilePixels pixels{numbers_[i], shown_(numbers_[i]), {}};
        pixels.rgb.resize(static_cast<std::size_t>(pixels.source.width * pixels.source.height * 3));
        slide_->read(level_, pixels.source, pixels.rgb.data());
        if (!queue_.push(std::move(pixels))) break;
      }
    } catch (...) {
      next_ = numbers_.size();
      return queue_.finish(std::current_exception());
    }
    if (--reading_ == 0) queue_.finish();
  }

  const Slide* slide_;
  Index level_;
  std::function<Rectangle(Index)> shown_;
  std::span<const Index> numbers_;
  BoundedQueue<TilePixels> queue_;
  std::atomic<std::size_t> next_{0}, reading_;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace detail

/// Looks at the tiles with these numbers and calls sink(number, nuclei) after each, for one at a time: its candidates
/// by the detectors' absolute threshold, in pixels of level 0, with raw responses (Detector::relative and
/// LocalMaxima::score make results of all of them together). As many tiles are in work as there are detectors, all of
/// one network and one setting: on a processor one with all its threads, on a GPU two in contexts of their own, so that
/// one tile's pixels travel while another's are looked at. With one detector and one reader tiles come in their order,
/// else about so. Memory: ReadAhead::tiles + readers + detectors tiles of source pixels, for each detector one of
/// reference pixels as floats and the network's own; none of it grows with the slide. Threads have ended when this
/// returns, also by an error. Throws IoError of the reader, Stopped by the watch, which counts the tiles.
template <class Device, class Sink>
void detect_tiles(std::span<const detect::Detector<Device>* const> detectors, const Slide& slide, const SlidePlan& plan,
                  const data::ChannelStatistics& statistics, const std::vector<detect::TileRegion>& tiles,
                  std::span<const Index> numbers, const Sink& sink, const Watch& watch = {}, ReadAhead ahead = {}) {
  const auto tile_of = [&](Index number) -> const detect::TileRegion& {
    return tiles[static_cast<std::size_t>(number)];
  };
  detail::TileReaders readers(
      slide, plan.level,
      [&](Index number) { return plan.source_of(detectors[0]->shown(plan.reference, tile_of(number))); }, numbers,
      ahead);
  std::mutex turn;
  std::exception_ptr failure;
  Index done = 0;
  const Index all = static_cast<Index>(numbers.size());
  const auto work = [&](const detect::Detector<Device>& detector) {
    try {
      while (const std::optional<TilePixels> pixels = readers.next()) {
        {
          const std::lock_guard lock(turn);
          if (failure) return;
          watch.step("slide", done, all);
        }
        std::vector<Nucleus> nuclei = candidates_of(detector, plan, statistics, tile_of(pixels->tile), *pixels);
        for (Nucleus& n : nuclei) n.centre = plan.to_level0(n.centre);
        const std::lock_guard lock(turn);
        if (failure) return;
        sink(pixels->tile, std::move(nuclei));
        ++done;
      }
    } catch (...) {
      const std::lock_guard lock(turn);
      if (!failure) failure = std::current_exception();
      readers.close();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < detectors.size(); ++i) others.emplace_back([&, i] { work(*detectors[i]); });
    work(*detectors[0]);
  }
  if (failure) std::rethrow_exception(failure);
  if (watch.progress) watch.progress(all, all);
}

/// The same with one detector.
template <class Device, class Sink>
void detect_tiles(const detect::Detector<Device>& detector, const Slide& slide, const SlidePlan& plan,
                  const data::ChannelStatistics& statistics, const std::vector<detect::TileRegion>& tiles,
                  std::span<const Index> numbers, const Sink& sink, const Watch& watch = {}, ReadAhead ahead = {}) {
  const detect::Detector<Device>* const one[] = {&detector};
  detect_tiles<Device>(std::span<const detect::Detector<Device>* const>(one), slide, plan, statistics, tiles, numbers,
                       sink, watch, ahead);
}

}  // namespace nucdet::slide

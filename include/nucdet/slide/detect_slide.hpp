#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "nucdet/core/processors.hpp"
#include "nucdet/data/image_conversion.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/slide/stream.hpp"
#include "nucdet/slide/thumbnail.hpp"

namespace nucdet::slide {

/// What a slide is normalised with: the rule's constants, or by a rule that looks at the whole image the statistics of
/// a low level, of what was scanned. The watch counts the blocks that are read.
template <class Device>
data::ChannelStatistics statistics_for(const detect::Detector<Device>& detector, const data::Normalization& rule,
                                       const Slide& slide, const Watch& watch = {}) {
  if (const auto* constants = std::get_if<data::FixedNormalization>(&rule)) return constants->statistics;
  constexpr Index kLongest = 2048;
  const io::Picture low = thumbnail_of(slide, slide.bounds(), kLongest, watch);
  return detector.statistics(view_of(data::to_image(detector.context().host(), low.view())));
}

/// Detectors for the tiles that are in work at one time, and threads that read for them: on a processor one detector
/// keeps all its threads busy, and one thread reads faster than it looks; a GPU waits for neither.
template <class Device>
class TileWorkers {
 public:
  explicit TileWorkers(const detect::Detector<Device>& first) : detectors_{&first} {
    if constexpr (kDetectors > 1) {
      context_ = std::make_unique<Context<Device>>(first.context().options());
      second_ = std::make_unique<detect::Detector<Device>>(first.in(*context_));
      detectors_.push_back(second_.get());
    }
  }
  std::span<const detect::Detector<Device>* const> detectors() const { return detectors_; }
  static ReadAhead ahead(std::size_t tiles) {
    constexpr int kMostReaders = std::is_same_v<Device, Cpu> ? 1 : 8;
    const auto readers = static_cast<std::size_t>(std::min(kMostReaders, available_processors()));
    return {std::max(tiles, readers), readers};
  }
  /// Tiles of source pixels that are held at most, where so many are read ahead; of each in work one of floats too.
  static std::size_t tiles_held(std::size_t tiles) { return ahead(tiles).tiles + ahead(tiles).readers + kDetectors; }
  static constexpr std::size_t kDetectors = std::is_same_v<Device, Cpu> ? 1 : 2;

 private:
  std::vector<const detect::Detector<Device>*> detectors_;
  std::unique_ptr<Context<Device>> context_{};
  std::unique_ptr<detect::Detector<Device>> second_{};
};

/// The nuclei of a whole slide whose centres lie in tissue, tile by tile in the order of the lattice, in pixels of
/// level 0, with scores for users. `rule`: the model's normalisation; `um_per_pixel`: of level 0; `ahead`: tiles that
/// are read while the network is at work. Throws as detect_tiles. Until tiles are counted the watch is told of none.
template <class Device>
std::vector<Nucleus> detect_slide(const detect::Detector<Device>& detector, const data::Normalization& rule,
                                  const Slide& slide, double um_per_pixel, const TissueMask& tissue,
                                  const Watch& watch = {}, std::size_t ahead = ReadAhead{}.tiles) {
  const SlidePlan plan(slide, um_per_pixel);
  const std::vector<detect::TileRegion> tiles =
      plan.tiles_on(tissue, detector.regions(plan.reference), detector.tiles());
  const std::vector<Index> wanted = plan.wanted(tiles, tissue, {0, 0, slide.width(), slide.height()});
  std::map<Index, std::vector<Nucleus>> of_tile;  // they come as they are done
  const auto keep = [&](Index tile, std::vector<Nucleus> nuclei) {
    std::erase_if(nuclei, [&](const Nucleus& n) { return !tissue.holds(n.centre); });
    of_tile[tile] = std::move(nuclei);
  };
  const data::ChannelStatistics statistics = statistics_for(detector, rule, slide, watch.beforehand());
  const TileWorkers workers(detector);
  detect_tiles(workers.detectors(), slide, plan, statistics, tiles, wanted, keep, watch, workers.ahead(ahead));
  std::vector<Nucleus> all;
  for (auto& [tile, nuclei] : of_tile) all.insert(all.end(), nuclei.begin(), nuclei.end()), nuclei = {};
  all = detector.relative(std::move(all));
  for (Nucleus& n : all) n.score = detector.peaks().score(n.score);
  return all;
}

}  // namespace nucdet::slide

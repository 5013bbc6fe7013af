#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/json.hpp"
#include "nucdet/models/pixel_size.hpp"
#include "nucdet/slide/detect_slide.hpp"
#include "nucdet/slide/journal.hpp"

#include "commands.hpp"
#include "detect_part.hpp"
#include "detect_results.hpp"
#include "inputs.hpp"
#include "interrupt.hpp"
#include "progress.hpp"

/// What `detect` does with a whole slide.
namespace nucdet::program {

/// A slide, and where nuclei count in it.
struct SlideWork {
  slide::Slide slide;
  models::Scaling scaling;
  slide::SlidePlan plan;
  slide::TissueMask tissue;
  Counted counted;          ///< its core is --region, or all of the frame
  detect::Rectangle frame;  ///< see frame_of

  bool counts(Point p) const { return counted(p) && tissue.holds(p); }
  /// From level 0 to pixels of the frame.
  Point in_frame(Point p) const { return {p.x - static_cast<double>(frame.x), p.y - static_cast<double>(frame.y)}; }
  /// Pixels of level 0 that count, by a look at the middles of the tissue's cells, or of parts of large ones: all of
  /// them, or those in a rectangle of reference pixels.
  double counted_pixels() const { return counted_pixels({0, 0, plan.reference.w, plan.reference.h}); }
  double counted_pixels(const detect::Rectangle& reference) const;
};

/// How much of a slide is done, by the tissue in its tiles: in mm2, or in megapixels where it does not know the size of
/// its pixels.
class SlideMeter {
 public:
  /// `wanted`: the numbers of the tiles that are looked at.
  SlideMeter(const SlideWork& work, const std::vector<detect::TileRegion>& tiles, std::span<const Index> wanted);

  void add(Index tile) { state_.done += areas_.at(tile); }
  SlideState state(Index nuclei) const;

 private:
  std::map<Index, double> areas_{};  ///< of tiles
  SlideState state_{};
};

/// What --tissue says, or where it says nothing: the regions, or without any what find_tissue finds. Throws IoError.
slide::TissueMask tissue_of(const std::string& asked, const slide::Slide& slide, double um_per_pixel,
                            const Areas& areas, const Watch& watch = {});
/// Throws ArgumentError where --components is given.
void refuse_components(const ThresholdOptions& thresholds, const Input& input);
/// What positions outside of the program count from, and how far they go: all of level 0, or with --origin bounds the
/// part that was scanned.
detect::Rectangle frame_of(const std::string& origin, const slide::Slide& slide);
Areas moved(Areas areas, double right, double down);
/// Throws IoError. --region and --areas are in pixels of the frame. The watch counts the blocks that are read.
SlideWork slide_work(const DetectOptions& options, const Input& input, slide::Slide slide, const Watch& watch = {});

/// The slide's overview, with its nuclei.
ResultDrawings drawings_on(std::shared_ptr<const SlideWork> work, Watch watch = {});

/// Thrown after a tile where the run was asked to end in order: the journal has what was found.
struct Paused : Stopped {
  using Stopped::Stopped;
};

/// Finds the nuclei of the tiles that have tissue, but for those that `done(number)` says are done. Calls
/// keep(number, those that count, of how many tiles) after each, which returns how many nuclei there are so far;
/// `before`: those of the tiles that were done.
template <class Device, class Done, class Keep>
void look_at_tiles(const detect::Detector<Device>& detector, const SlideWork& work,
                   const data::ChannelStatistics& statistics, const Done& done, Index before, const Keep& keep,
                   std::size_t ahead, const ImageWatch& watch) {
  const std::vector<detect::TileRegion> tiles =
      work.plan.tiles_on(work.tissue, detector.regions(work.plan.reference), detector.tiles());
  const std::vector<Index> wanted = work.plan.wanted(tiles, work.tissue, work.counted.core);
  SlideMeter meter(work, tiles, wanted);
  std::vector<Index> left;
  for (const Index number : wanted)
    if (done(number))
      meter.add(number);
    else
      left.push_back(number);
  const auto tell = [&](Index nuclei) {
    if (watch.slide) watch.slide(meter.state(nuclei));
  };
  tell(before);
  const Index all = static_cast<Index>(wanted.size()), earlier = all - static_cast<Index>(left.size());
  Watch of_all{.stop = watch.stop, .progress = {}};
  if (watch.progress) of_all.progress = [&](Index now, Index) { watch.progress(earlier + now, all); };
  const auto keep_counted = [&](Index number, std::vector<Nucleus> nuclei) {
    std::erase_if(nuclei, [&](const Nucleus& n) { return !work.counts(n.centre); });
    meter.add(number);
    tell(keep(number, std::move(nuclei), all));
  };
  const slide::TileWorkers workers(detector);
  slide::detect_tiles(workers.detectors(), work.slide, work.plan, statistics, tiles, left, keep_counted, of_all,
                      workers.ahead(ahead));
}

/// Finds the nuclei of a slide's remaining tiles, and adds them to the journal.
template <class Device>
void detect_remaining(const detect::Detector<Device>& detector, const SlideWork& work,
                      const data::ChannelStatistics& statistics, slide::Journal& journal, std::size_t ahead,
                      const Interrupt& interrupt, const ImageWatch& watch) {
  const auto keep = [&](Index number, const std::vector<Nucleus>& nuclei, Index all) {
    journal.add(number, nuclei);
    if (interrupt.finish_requested())
      throw Paused(message(work.slide.where(), ": stopped on request after ", journal.tiles().size(), " of ", all,
                           " tiles; the same call goes on from there"));
    return journal.nuclei();
  };
  look_at_tiles(
      detector, work, statistics, [&](Index number) { return journal.holds(number); }, journal.nuclei(), keep, ahead,
      watch);
}

}  // namespace nucdet::program

#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/json.hpp"
#include "nucdet/models/pixel_size.hpp"
#include "nucdet/slide/journal.hpp"
#include "nucdet/slide/stream.hpp"

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
  Counted counted;  ///< its core is --region, or all of the slide

  bool counts(Point p) const { return counted(p) && tissue.holds(p); }
  /// Pixels of level 0 that count, by the tissue's cells: all of them, or those whose middles lie in a rectangle of
  /// reference pixels.
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

/// Throws IoError.
SlideWork slide_work(const DetectOptions& options, const Input& input);

/// The slide's overview, with its nuclei.
ResultDrawings drawings_on(std::shared_ptr<const SlideWork> work);

/// What a slide is normalised with by a rule that looks at the whole of it: that of a low level.
Image low_level(Context<Cpu>& context, const slide::Slide& slide);

/// Thrown after a tile where the run was asked to end in order: the journal has what was found.
struct Paused : Stopped {
  using Stopped::Stopped;
};

/// Finds the nuclei of a slide's remaining tiles, and adds them to the journal.
template <class Device>
void detect_remaining(const detect::Detector<Device>& detector, const SlideWork& work,
                      const data::ChannelStatistics& statistics, slide::Journal& journal, slide::ReadAhead ahead,
                      const Interrupt& interrupt, const ImageWatch& watch) {
  const std::vector<detect::TileRegion> tiles = detector.regions(work.plan.reference);
  const std::vector<Index> wanted = work.plan.wanted(tiles, work.tissue, work.counted.core);
  std::vector<Index> left;
  for (const Index number : wanted)
    if (!journal.holds(number)) left.push_back(number);
  const Index all = static_cast<Index>(wanted.size()), before = all - static_cast<Index>(left.size());
  Watch of_all{.stop = watch.stop, .progress = {}};
  if (watch.progress) of_all.progress = [&](Index done, Index) { watch.progress(before + done, all); };
  SlideMeter meter(work, tiles, wanted);
  for (const Index number : wanted)
    if (journal.holds(number)) meter.add(number);
  if (watch.slide) watch.slide(meter.state(journal.nuclei()));
  const auto keep = [&](Index number, std::vector<Nucleus> nuclei) {
    std::erase_if(nuclei, [&](const Nucleus& n) { return !work.counts(n.centre); });
    journal.add(number, nuclei);
    meter.add(number);
    if (watch.slide) watch.slide(meter.state(journal.nuclei()));
    if (interrupt.finish_requested())
      throw Paused(message(work.slide.where(), ": stopped on request after ", journal.tiles().size(), " of ", all,
                           " tiles; the same call goes on from there"));
  };
  slide::detect_tiles(detector, work.slide, work.plan, statistics, tiles, left, keep, of_all, ahead);
}

}  // namespace nucdet::program

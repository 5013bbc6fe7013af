#pragma once
#include <memory>
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
  /// Pixels of level 0 that count, by the tissue's cells.
  double counted_pixels() const;
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
                      const Interrupt& interrupt, const Watch& watch) {
  const std::vector<detect::TileRegion> tiles = detector.regions(work.plan.reference);
  const std::vector<Index> wanted = work.plan.wanted(tiles, work.tissue, work.counted.core);
  std::vector<Index> left;
  for (const Index number : wanted)
    if (!journal.holds(number)) left.push_back(number);
  const Index all = static_cast<Index>(wanted.size()), before = all - static_cast<Index>(left.size());
  Watch of_all{.stop = watch.stop, .progress = {}};
  if (watch.progress) of_all.progress = [&](Index done, Index) { watch.progress(before + done, all); };
  const auto keep = [&](Index number, std::vector<Nucleus> nuclei) {
    std::erase_if(nuclei, [&](const Nucleus& n) { return !work.counts(n.centre); });
    journal.add(number, nuclei);
    if (interrupt.finish_requested())
      throw Paused(message(work.slide.where(), ": stopped on request after ", journal.tiles().size(), " of ", all,
                           " tiles; the same call goes on from there"));
  };
  slide::detect_tiles(detector, work.slide, work.plan, statistics, tiles, left, keep, of_all, ahead);
}

}  // namespace nucdet::program

#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/detect/detector.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/slide/tissue.hpp"

#include "../detect_slide.hpp"
#include "../endings.hpp"
#include "../progress.hpp"
#include "../regions.hpp"
#include "annotated.hpp"
#include "scored.hpp"

/// What a model finds, down to a low threshold, in images and in slides.
namespace nucdet::program::evaluation {

/// Of an image: all that is found in it.
template <class Device>
Scored scored_image(const detect::Detector<Device>& detector, const EvaluateOptions& o,
                    const detect::LocalMaxima& peaks, const Input& input, models::AnnotatedPicture read,
                    const Watch& watch) {
  const double scale = read.scaling.scale;
  const ClassNames names(detector.classes());
  const data::Sample sample = models::sample_of(detector.context().host(), input.entry, std::move(read), names);
  const View<const float> image = view_of(sample.image);
  AnnotatedPoints truth = data::annotated(sample);
  return {input,
          scale,
          {o.thresholds.components ? detector(sample.image, 1.0, regions_of(o.thresholds, peaks))
                                   : detector.candidates(image, detector.statistics(image), watch),
           std::move(truth.points), std::move(truth.classes), sample.areas}};
}

/// Of a slide: what is found in its regions and as far around them as a hit may reach, so that what lies at a border
/// is matched as within a whole image; where no regions are, in all tissue.
template <class Device>
Scored scored_slide(const detect::Detector<Device>& detector, const EvaluateOptions& o, const data::Normalization& rule,
                    const Input& input, AnnotatedInput annotated, const ImageWatch& watch) {
  refuse_components(o.thresholds, input);
  const slide::Slide slide = *annotated.slide;
  const models::Scaling scaling = annotated.read.scaling;
  const detect::Rectangle frame = annotated.frame;
  const Areas areas = moved(annotated.read.nuclei.areas, static_cast<double>(frame.x), static_cast<double>(frame.y));
  const double um = scaling.scale * models::kReferencePixel;
  slide::TissueMask tissue = tissue_of(o.tissue, slide, um, areas);
  if (!areas.regions.empty()) tissue = slide::grown(std::move(tissue), o.gate / scaling.scale);
  const SlideWork work{slide, scaling, slide::SlidePlan(slide, um), std::move(tissue), {frame, {}}, frame};
  Scored scored{input, scaling.scale, truth_of(input, std::move(annotated.read), ClassNames(detector.classes()))};
  std::vector<Nucleus>& found = scored.candidates.peaks;
  const auto keep = [&](Index, const std::vector<Nucleus>& nuclei, Index) {
    found.insert(found.end(), nuclei.begin(), nuclei.end());
    return static_cast<Index>(found.size());
  };
  look_at_tiles(
      detector, work, slide::statistics_for(detector, rule, slide), [](Index) { return false; }, 0, keep,
      slide::ReadAhead{}.tiles, watch);
  std::sort(found.begin(), found.end(), [](const Nucleus& a, const Nucleus& b) {  // tiles come as they are done
    return std::pair(a.centre.y, a.centre.x) < std::pair(b.centre.y, b.centre.x);
  });
  for (Nucleus& n : found) n.centre = data::to_reference(work.in_frame(n.centre), scaling.scale);
  return scored;
}

/// Of all inputs; the pixel sizes and what else there is to know of how they were read are said.
template <class Device>
std::vector<Scored> scored_inputs(const detect::Detector<Device>& detector, const EvaluateOptions& o,
                                  const models::LoadedModel<Device>& loaded, const std::vector<Input>& inputs) {
  std::vector<Scored> scored;
  ImageProgress progress(static_cast<std::int64_t>(inputs.size()), o.quiet);
  const ImageWatch watch{{.stop = {}, .progress = [&](Index done, Index all) { progress.tiles(done, all); }},
                         [&](const SlideState& state) { progress.slide(state); }};
  models::ReadingNotes notes;
  for (const Input& input : inputs) {
    progress.begin(input.name.string());
    AnnotatedInput annotated = read_input(o, input);
    notes.add(annotated.read);
    if (input.slide)
      scored.push_back(scored_slide(detector, o, loaded.normalization, input, std::move(annotated), watch));
    else
      scored.push_back(scored_image(detector, o, loaded.peaks, input, std::move(annotated.read), watch));
    progress.end();
  }
  if (!o.quiet)
    for (const std::string& line : notes.lines()) note(line);
  return scored;
}

}  // namespace nucdet::program::evaluation

#include "predictions.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "nucdet/data/resample.hpp"
#include "nucdet/io/annotations.hpp"

#include "../endings.hpp"
#include "annotated.hpp"

namespace nucdet::program::evaluation {

namespace {

namespace fs = std::filesystem;

/// What looks wrong, each kind with its first examples.
class Doubts {
 public:
  void add(const std::string& what) {
    if (++count_ <= 10) text_ += "\n  " + what;
  }
  /// Says them, or throws.
  void settle(bool strict) const {
    if (count_ == 0) return;
    const std::string all = message("predictions look wrong in ", count_, count_ == 1 ? " place:" : " places:", text_,
                                    count_ > 10 ? message("\n  and ", count_ - 10, " more") : "");
    if (strict) throw IoError(all + "\n(--strict refuses them)");
    note("warning: " + all);
  }

 private:
  Index count_ = 0;
  std::string text_{};
};

/// F1 over all images if every prediction were changed.
template <class Change>
double f1_if(const std::vector<Scored>& images, const ChosenMatcher& matcher, const Change& change) {
  metrics::Score all;
  for (const Scored& s : images) {
    std::vector<Point> found;
    for (const Nucleus& n : s.candidates.peaks)
      found.push_back(data::to_reference(change(data::to_source(n.centre, s.scale)), s.scale));
    std::vector<Nucleus> nuclei;
    for (const Point& p : found) nuclei.push_back({p, 1});
    all += metrics::score_of(
        metrics::match_counted(matcher, s.candidates.areas, std::move(nuclei), {s.candidates.truth, {}}).matching);
  }
  return all.f1();
}

/// Mistakes that leave every point inside of its image show in the score alone.
void doubt_coordinates(const std::vector<Scored>& images, const std::vector<double>& um, const ChosenMatcher& matcher,
                       Doubts& doubts) {
  const double as_is = f1_if(images, matcher, [](Point p) { return p; });
  const auto compare = [&](const char* what, double other) {
    if (other > as_is + 0.2)
      doubts.add(message("F1 is ", std::round(as_is * 1e4) / 1e4, ", and would be ", std::round(other * 1e4) / 1e4,
                         " if ", what));
  };
  compare("x and y were exchanged", f1_if(images, matcher, [](Point p) { return Point{p.y, p.x}; }));
  if (std::adjacent_find(um.begin(), um.end(), std::not_equal_to<>()) == um.end() && !um.empty())
    compare("positions were in um", f1_if(images, matcher, [&](Point p) { return Point{p.x / um[0], p.y / um[0]}; }));
}

}  // namespace

std::vector<Scored> with_predictions(const EvaluateOptions& o, const std::vector<Input>& inputs,
                                     const ChosenMatcher& matcher) {
  if (!fs::is_directory(o.predictions))
    throw IoError(message(o.predictions, ": is no folder, wanted one with NAME.csv for each image"));
  std::vector<Scored> scored;
  std::vector<double> um;
  Doubts doubts;
  models::ReadingNotes notes;
  std::size_t missing = 0;
  for (const Input& input : inputs) {
    models::AnnotatedPicture read = read_input(o, input).read;
    notes.add(read);
    const double mpp = read.scaling.pixel_size.um();
    um.push_back(mpp > 0 ? mpp : models::kReferencePixel);
    Scored one{input, read.scaling.scale, {}};
    std::vector<Point> found;
    if (const auto file = file_called(o.predictions, input, io::kAnnotationEndings)) {
      found = io::read_annotations(
                  *file, {.um_per_pixel = mpp, .image = input.entry.image.filename().string(), .keep_duplicates = true})
                  .points;
      if (const std::size_t count = data::points_outside(found, read.picture.height, read.picture.width); count > 0)
        doubts.add(message(file->string(), ": ", count, " of ", found.size(), " points lie outside of the image of ",
                           read.picture.width, 'x', read.picture.height, " pixels"));
    } else {
      doubts.add(message(input.name.generic_string(), ": no predictions, counted as nothing found"));
      ++missing;
    }
    one.candidates = truth_of(input, std::move(read));
    for (const Point& p : found) one.candidates.peaks.push_back({data::to_reference(p, one.scale), 1});
    scored.push_back(std::move(one));
  }
  if (!o.quiet)
    for (const std::string& line : notes.lines()) note(line);
  if (missing == inputs.size())
    throw IoError(message(o.predictions, ": holds predictions of none of the ", inputs.size(),
                          " images, wanted files called as they are: ", inputs[0].name.generic_string(), ".csv"));
  doubt_coordinates(scored, um, matcher, doubts);
  doubts.settle(o.strict);
  return scored;
}

}  // namespace nucdet::program::evaluation

#include "overlays.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/overlay.hpp"
#include "nucdet/slide/open.hpp"

#include "../detect_slide.hpp"
#include "../endings.hpp"
#include "../score_overlay.hpp"
#include "annotated.hpp"

namespace nucdet::program::evaluation {

namespace fs = std::filesystem;

namespace {

fs::path overlay_file(const EvaluateOptions& o, const Input& input, const std::string& ending) {
  return input.result(fs::path(o.out) / "overlays", ending + ".png");
}

std::string ending_of_region(std::size_t number) { return message(".region-", number + 1); }

void draw(const fs::path& file, const Image& image, const std::vector<io::OverlayMark>& marks,
          const ClassNames& classes) {
  io::make_folder(file.parent_path());
  io::write_drawing(file, io::draw_overlay(image, marks, {.classes = classes}));
}

/// The pixels of a slide's frame around a region in reference pixels.
slide::Rectangle box_of(const Area& region, const slide::Rectangle& frame, double scale) {
  double left = static_cast<double>(frame.width), top = static_cast<double>(frame.height), right = 0, bottom = 0;
  region.visit_edges([&](Point, Point corner) {
    const Point p = data::to_source(corner, scale);
    left = std::min(left, p.x), right = std::max(right, p.x), top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  });
  const auto pixel = [](double edge, Index size) { return std::clamp<Index>(static_cast<Index>(edge), 0, size); };
  const Index x = pixel(std::floor(left + 0.5), frame.width), y = pixel(std::floor(top + 0.5), frame.height);
  return {x, y, pixel(std::ceil(right + 0.5), frame.width) - x, pixel(std::ceil(bottom + 0.5), frame.height) - y};
}

/// The marks that lie in a rectangle, in its pixels.
std::vector<io::OverlayMark> marks_in(const slide::Rectangle& box, std::vector<io::OverlayMark> marks) {
  std::erase_if(marks, [&](const io::OverlayMark& m) { return !box.holds(m.at.x + 0.5, m.at.y + 0.5); });
  for (io::OverlayMark& m : marks)
    for (Point* p : {&m.at, &m.truth}) p->x -= static_cast<double>(box.x), p->y -= static_cast<double>(box.y);
  return marks;
}

void draw_slide(const EvaluateOptions& o, const Scored& s, const std::vector<io::OverlayMark>& marks,
                const ClassNames& classes) {
  constexpr Index kMostPixels = Index{1} << 25;
  const slide::Slide slide = slide::open_slide(s.input.entry.image);
  const slide::Rectangle frame = frame_of(o.origin, slide);
  const std::vector<Area>& regions = s.candidates.areas.regions;
  if (regions.empty()) note(message(slide.where(), ": no picture, since no regions say what to draw of a whole slide"));
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const slide::Rectangle box = box_of(regions[i], frame, s.scale);
    if (box.width < 1 || box.height < 1 || box.height > kMostPixels / box.width)
      note(message(slide.where(), ": no picture of region ", i + 1, ", which has ", box.width, 'x', box.height,
                   " pixels, wanted 1 to ", kMostPixels));
    else
      draw(overlay_file(o, s.input, ending_of_region(i)),
           io::to_image(slide.read(0, {box.x + frame.x, box.y + frame.y, box.width, box.height})), marks_in(box, marks),
           classes);
  }
}

}  // namespace

std::vector<fs::path> overlay_files(const EvaluateOptions& o, const Input& input) {
  if (!input.slide) return {overlay_file(o, input, "")};
  std::vector<fs::path> files;
  const std::size_t regions = areas_of(o, input).regions.size();
  for (std::size_t i = 0; i < regions; ++i) files.push_back(overlay_file(o, input, ending_of_region(i)));
  return files;
}

void write_overlays(const EvaluateOptions& o, const std::vector<Scored>& images, const Thresholds& use,
                    const ChosenMatcher& matcher, const ClassNames& classes) {
  for (const Scored& s : images) {
    const std::vector<io::OverlayMark> marks = score_marks(matched(matcher, s, use), s.scale);
    if (s.input.slide)
      draw_slide(o, s, marks, classes);
    else
      draw(overlay_file(o, s.input, ""), io::read_image(s.input.entry.image), marks, classes);
  }
}

}  // namespace nucdet::program::evaluation

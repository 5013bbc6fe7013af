#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/match/hungarian.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"
#include "score_overlay.hpp"

namespace nucdet::program {

int overlay(const OverlayOptions& o) {
  data::check_scale(o.scale);
  if (std::filesystem::path(o.out).extension() != ".png")
    throw ArgumentError(message("overlay: --out is ", o.out, ", wanted a name in .png"));
  OutputGuard guard;
  guard.input(o.image), guard.input(o.detections), guard.input(o.truth);
  guard.output(o.out, io::Product::drawing);
  const Image image = io::read_image(o.image);
  if (o.detections.empty() && o.truth.empty())
    throw ArgumentError("overlay: neither --detections nor --truth was given");
  std::vector<std::filesystem::path> files;
  for (const std::string& file : {o.detections, o.truth})
    if (!file.empty()) files.push_back(file);
  ClassNames names;
  try {
    names = io::read_class_names(files);
  } catch (const IoError& error) { complain(message("drawn without classes: ", error.what())); }
  const auto read = [&](const std::string& file) { return io::numbered(io::read_annotations(file), names); };
  std::vector<io::OverlayMark> marks;
  if (files.size() == 1) {  // one list of points: nothing to score
    const AnnotatedPoints nuclei = read(files[0].string());
    for (std::size_t i = 0; i < nuclei.points.size(); ++i)
      marks.push_back({.at = nuclei.points[i], .class_id = nuclei.class_of(i)});
  } else {
    const auto reference = [&](AnnotatedPoints nuclei) {
      for (Point& p : nuclei.points) p = data::to_reference(p, o.scale);
      return nuclei;
    };
    const AnnotatedPoints detections = reference(read(o.detections));
    std::vector<Nucleus> found;
    for (std::size_t i = 0; i < detections.points.size(); ++i)
      found.push_back({.centre = detections.points[i], .class_id = detections.class_of(i)});
    marks = score_marks(match::HungarianMatcher{o.gate}, found, reference(read(o.truth)), o.scale);
  }
  io::write_drawing(o.out, io::draw_overlay(image, marks, {.zoom = o.zoom, .classes = names}));
  if (o.json)
    print_json({{"out", o.out}, {"marks", marks.size()}});
  else
    std::cout << printable(o.out) << '\n';
  return 0;
}

}  // namespace nucdet::program

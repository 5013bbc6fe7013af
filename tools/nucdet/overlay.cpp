#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/data/dataset.hpp"
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

namespace {

/// Detections against annotated nuclei, in reference pixels, where the annotations say that nuclei count.
metrics::CountedMatch scored(const OverlayOptions& o, io::Annotations detections, io::Annotations truth,
                             const ClassNames& names, double scale) {
  const Areas areas = data::to_reference(truth.areas, scale);
  const auto reference = [&](AnnotatedPoints nuclei) {
    for (Point& p : nuclei.points) p = data::to_reference(p, scale);
    return nuclei;
  };
  const AnnotatedPoints at = reference(io::numbered(std::move(detections), names));
  std::vector<Nucleus> found;
  for (std::size_t i = 0; i < at.points.size(); ++i)
    found.push_back({.centre = at.points[i], .class_id = at.class_of(i)});
  return metrics::match_counted(match::HungarianMatcher{o.gate}, areas, std::move(found),
                                reference(io::numbered(std::move(truth), names)));
}

}  // namespace

int overlay(const OverlayOptions& o) {
  if (std::filesystem::path(o.out).extension() != ".png")
    throw ArgumentError(message("overlay: --out is ", o.out, ", wanted a name in .png"));
  OutputGuard guard;
  guard.input(o.image), guard.input(o.detections), guard.input(o.truth);
  guard.output(o.out, io::Product::drawing);
  if (o.detections.empty() && o.truth.empty())
    throw ArgumentError("overlay: neither --detections nor --truth was given");
  const io::Picture picture = io::read_picture(o.image);
  const models::Scaling scaling = models::scaling_of(o.pixel_size, {}, picture);
  for (const std::string& one : picture.notes) note(message(picture.where, ": ", one));
  std::vector<std::filesystem::path> files;
  for (const std::string& file : {o.detections, o.truth})
    if (!file.empty()) files.push_back(file);
  ClassNames names;
  try {
    names = io::read_class_names(files);
  } catch (const IoError& error) { complain(message("drawn without classes: ", error.what())); }
  const auto read = [&](const std::string& file) {
    io::Annotations found = io::read_annotations(
        file, {.um_per_pixel = scaling.pixel_size.um(), .image = std::filesystem::path(o.image).filename().string()});
    for (const std::string& one : found.notes) note(message(file, ": ", one));
    const std::size_t outside = data::points_outside(found.points, picture.height, picture.width);
    if (outside > 0)
      note(message(file, ": ", outside, " of ", found.points.size(), " points lie outside of the image of ",
                   picture.width, 'x', picture.height));
    return found;
  };
  std::vector<io::OverlayMark> marks;
  if (files.size() == 1) {  // one list of points: nothing to score
    const AnnotatedPoints nuclei = io::numbered(read(files[0].string()), names);
    for (std::size_t i = 0; i < nuclei.points.size(); ++i)
      marks.push_back({.at = nuclei.points[i], .class_id = nuclei.class_of(i)});
  } else {
    marks = score_marks(scored(o, read(o.detections), read(o.truth), names, scaling.scale), scaling.scale);
  }
  io::write_drawing(o.out, io::draw_overlay(io::to_image(picture), marks, {.zoom = o.zoom, .classes = names}));
  if (o.json)
    print_json({{"out", o.out}, {"marks", marks.size()}});
  else
    std::cout << printable(o.out) << '\n';
  return 0;
}

}  // namespace nucdet::program

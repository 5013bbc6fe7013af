#include "annotated.hpp"

#include "nucdet/io/annotations.hpp"
#include "nucdet/slide/open.hpp"

#include "../detect_part.hpp"
#include "../detect_slide.hpp"
#include "../endings.hpp"

namespace nucdet::program::evaluation {

AnnotatedInput read_input(const EvaluateOptions& o, const Input& input) {
  AnnotatedInput all;
  if (input.slide) {
    all.slide = slide::open_slide(input.entry.image), all.frame = frame_of(o.origin, *all.slide);
    io::Picture about{// as of an image that was read, but for its pixels
                      .where = all.slide->where(),
                      .format = "slide",
                      .height = all.frame.height,
                      .width = all.frame.width};
    about.pixel_size = all.slide->pixel_size();
    all.read = models::annotated(input.entry, std::move(about), o.pixel_size);
  } else {
    all.read = models::read_annotated(input.entry, o.pixel_size);
  }
  if (const auto file = areas_file(o.areas, input)) all.read.nuclei.areas = areas_in(*file);
  if (input.slide && all.read.nuclei.areas.regions.empty() && !o.quiet)
    note(message(all.slide->where(),
                 ": no regions (Region*) say where its nuclei are annotated: the whole slide counts"));
  return all;
}

Areas areas_of(const EvaluateOptions& o, const Input& input) {
  if (const auto file = areas_file(o.areas, input)) return areas_in(*file);
  return io::read_annotations(input.entry.annotations, {.image = input.entry.image.filename().string()}).areas;
}

metrics::Candidates truth_of(const Input& input, models::AnnotatedPicture read, const ClassNames& names) {
  const io::Picture& picture = read.picture;
  if (const std::size_t count = data::points_outside(read.nuclei.points, picture.height, picture.width); count > 0)
    throw IoError(message(input.entry.annotations.string(), ": ", count, " of ", read.nuclei.points.size(),
                          " points lie outside of the image of ", picture.width, 'x', picture.height, " pixels"));
  metrics::Candidates all;
  all.areas = data::to_reference(std::move(read.nuclei.areas), read.scaling.scale);
  AnnotatedPoints nuclei = io::numbered(std::move(read.nuclei), names);
  for (Point& p : nuclei.points) p = data::to_reference(p, read.scaling.scale);
  all.truth = std::move(nuclei.points), all.truth_classes = std::move(nuclei.classes);
  return all;
}

}  // namespace nucdet::program::evaluation

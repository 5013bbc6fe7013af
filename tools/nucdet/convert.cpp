#include <iostream>
#include <map>

#include "nucdet/core/printable.hpp"
#include "nucdet/data/dataset.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/picture.hpp"
#include "nucdet/models/pixel_size.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// A sentence on a file.
void tell(const fs::path& file, const std::string& what) { note(message(file.string(), ": ", what)); }

/// The file to write: in a folder, a table of the input's name.
fs::path output_of(const ConvertOptions& o) {
  fs::path out = o.out;
  std::error_code none;
  if (!out.has_filename()) io::make_folder(out);  // "found/"
  if (fs::is_directory(out, none)) {
    fs::path name = fs::path(o.in).filename();
    if (name.extension() == ".gz") name = name.stem();
    out /= name.stem().string() + ".csv";
  }
  if (!io::has_annotation_ending(out))
    throw ArgumentError(message(out.string(), ": annotations are written as ", io::kWrittenEndings));
  return out;
}

void tell_outside(const ConvertOptions& o, const io::Annotations& found, const io::Picture& picture) {
  const std::size_t count = found.points.size();
  if (!o.image.empty()) {
    if (const std::size_t outside = data::points_outside(found.points, picture.height, picture.width); outside > 0)
      tell(o.in, message(outside, " of ", count, " points lie outside of ", o.image, " (", picture.width, " x ",
                         picture.height, " pixels)"));
    return;
  }
  const auto negative =
      std::count_if(found.points.begin(), found.points.end(), [](Point p) { return p.x < -1 || p.y < -1; });
  if (negative > 0) tell(o.in, message(negative, " of ", count, " points are negative: they lie outside of any image"));
}

void tell_lost(const fs::path& out, const io::Annotations& found) {
  const std::size_t areas = found.areas.regions.size() + found.areas.ignored.size();
  if (areas > 0 && !io::keeps_areas(out))
    tell(out, message(areas, " areas have no place in a table and are not written (.geojson and .db have one)"));
}

}  // namespace

int convert(const ConvertOptions& o) {
  const fs::path out = output_of(o);
  OutputGuard guard(o.overwrite);
  guard.input(o.in), guard.input(o.image);
  guard.new_output(out);
  io::Picture picture;
  if (!o.image.empty()) picture = io::read_picture(o.image);
  double um = o.mpp.value_or(0);
  if (um == 0 && picture.pixel_size.known()) um = models::scaling_of({}, {}, picture).pixel_size.um();
  const io::AnnotationOptions options{.um_per_pixel = um, .image = fs::path(o.image).filename().string()};
  const io::Annotations found = io::read_annotations(o.in, options);
  for (const std::string& one : picture.notes) tell(o.image, one);
  for (const std::string& one : found.notes) tell(o.in, one);
  if (found.detections)
    tell(o.in, "holds what nucdet found, no annotations: check the points before they serve as such");
  tell_outside(o, found, picture), tell_lost(out, found);
  io::write_annotations(out, found);
  if (!o.json) {
    std::cout << printable(out.string()) << '\t' << found.points.size() << " points\n";
    return 0;
  }
  std::map<std::string, std::size_t> classes;
  for (const std::string& name : found.classes) ++classes[name];
  print_json({{"out", out.string()},
              {"points", found.points.size()},
              {"classes", classes},
              {"format", found.format},
              {"detections", found.detections},
              {"notes", found.notes}});
  return 0;
}

}  // namespace nucdet::program

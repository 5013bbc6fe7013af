#include <cmath>
#include <optional>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "text.hpp"

namespace nucdet::python {

namespace {

namespace fs = std::filesystem;

py::list rings_of(const std::vector<Area>& areas) {
  py::list all;
  for (const Area& area : areas) {
    py::list rings;
    for (const std::vector<Point>& ring : area.rings) rings.append(array_of(ring));
    all.append(rings);
  }
  return all;
}

/// um a pixel, 0 where the caller does not say. Throws ArgumentError for what is no size.
double checked(const char* where, std::optional<double> mpp) {
  if (mpp && !(*mpp > 0 && std::isfinite(*mpp)))
    throw ArgumentError(message(where, ": mpp is ", *mpp, " um a pixel, must be above 0"));
  return mpp.value_or(0);
}

py::dict read_annotations(const std::string& path, std::optional<double> mpp, const std::string& image, bool all_images,
                          bool keep_duplicates) {
  const double um = checked("read_annotations", mpp);
  io::Annotations found;
  {
    const py::gil_scoped_release unlocked;
    found = io::read_annotations(path, {um, image, all_images, keep_duplicates});
  }
  py::dict all;
  all["points"] = array_of(found.points);
  all["classes"] = found.classes;
  all["regions"] = rings_of(found.areas.regions);
  all["ignored"] = rings_of(found.areas.ignored);
  all["format"] = found.format;
  all["size"] = py::make_tuple(found.width, found.height);
  all["detections"] = found.detections;
  all["duplicates"] = found.duplicates;
  all["notes"] = texts_of(found.notes);
  return all;
}

void write_annotations(const std::string& path, const PointArray& points, std::vector<std::string> classes,
                       const Rings& regions, const Rings& ignored, bool detections) {
  const io::Annotations annotations{.points = points_of(points, "write_annotations"),
                                    .classes = std::move(classes),
                                    .areas = {areas_of(regions), areas_of(ignored)},
                                    .detections = detections};
  if (!annotations.classes.empty() && annotations.classes.size() != annotations.points.size())
    throw ShapeError(message("write_annotations: ", annotations.classes.size(), " classes for ",
                             annotations.points.size(), " points"));
  const py::gil_scoped_release unlocked;
  io::write_annotations(path, annotations);
}

/// Throws ArgumentError for what files do not hold, before one is begun.
void check(const std::vector<Nucleus>& nuclei, const ClassNames& classes) {
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    const Nucleus& n = nuclei[i];
    if (!is_place(n.centre) || !std::isfinite(n.score) || !std::isfinite(n.class_probability))
      throw ArgumentError(message("write_nuclei: nucleus ", i, " is at (", n.centre.x, ", ", n.centre.y,
                                  "), with the score ", n.score, " and the class's probability ", n.class_probability));
    if (n.class_id < kUnknownClass || n.class_id >= classes.size())
      throw ArgumentError(message("write_nuclei: nucleus ", i, " is of class ", n.class_id, " of ", classes.size(),
                                  ", wanted their names: classes=Detector.classes"));
  }
}

/// As the ending says: a table, GeoJSON or an AnnotationStore, with scores.
void write_nuclei(const std::string& path, const py::array& nuclei, const std::vector<std::string>& classes,
                  const std::string& image, Index width, Index height, std::optional<double> mpp) {
  io::DetectionReport report{.image = image, .width = width, .height = height};
  report.nuclei = nuclei_of(nuclei), report.classes = ClassNames(classes);
  check(report.nuclei, report.classes);
  if (const double um = checked("write_nuclei", mpp); um > 0)
    report.pixel_size = {um, um, "mpp"}, report.scale = um / io::ManifestEntry::kReferenceMpp;
  const py::gil_scoped_release unlocked;
  const fs::path file = path;
  const std::string name = file.filename().string();
  if (name.ends_with(".geojson") || name.ends_with(".geojson.gz")) return io::write_geojson(file, report);
  if (name.ends_with(".db")) return io::write_annotation_store(file, report);
  if (name.ends_with(".json")) return io::write_detections_json(file, report);
  if (name.ends_with(".csv")) return io::write_points(file, report.nuclei, report.classes, report.pixel_size);
  throw ArgumentError(message(path, ": nuclei are written as .csv, .json, .geojson, .geojson.gz or .db"));
}

}  // namespace

void bind_annotations(py::module_& module) {
  module.def("read_annotations", &read_annotations);
  module.def("write_annotations", &write_annotations);
  module.def("write_nuclei", &write_nuclei);
}

}  // namespace nucdet::python

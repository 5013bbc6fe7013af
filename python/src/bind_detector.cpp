#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "detector.hpp"
#include "progress.hpp"

namespace nucdet::python {

namespace {

using Asked = std::optional<double>;

std::unique_ptr<OwnedDetector> load(const std::string& weights, int threads, bool exact, Asked threshold, Asked xi,
                                    std::optional<Index> tile, int average) {
  if (threads < 0) throw ArgumentError(message("Detector: threads is ", threads, ", must be at least 1"));
  const py::gil_scoped_release unlocked;
  return std::make_unique<OwnedDetector>(
      DetectorSettings{weights, threads, exact, {threshold, xi}, tile.value_or(detect::TileGrid::kAutomatic), average});
}

/// Reference pixels to a pixel of an image of which only the caller says something.
double scale_of(Asked mpp, Asked scale, const io::Samples& s) {
  return models::scaling_of({mpp, scale}, {}, {.where = "image", .height = s.height, .width = s.width}).scale;
}

py::array detect(const OwnedDetector& self, const py::array& image, Asked mpp, Asked scale, const py::object& told) {
  const io::Samples samples = samples_of(image);
  const Progress progress(told);
  std::vector<Nucleus> nuclei;
  {
    const py::gil_scoped_release unlocked;
    const double by = scale_of(mpp, scale, samples);
    nuclei = self.detect(Pixels(samples).view(), by, progress.watch());
  }
  return array_of(nuclei);
}

py::array detect_file(const OwnedDetector& self, const std::string& path, Asked mpp, Asked scale,
                      const py::object& told) {
  const Progress progress(told);
  std::vector<Nucleus> nuclei;
  {
    const py::gil_scoped_release unlocked;
    const io::Picture picture = io::read_picture(path);
    nuclei = self.detect(picture.view(), models::scaling_of({mpp, scale}, {}, picture).scale, progress.watch());
  }
  return array_of(nuclei);
}

py::array detect_slide(const OwnedDetector& self, const std::string& path, Asked mpp, Asked scale,
                       const std::string& tissue, const py::object& told) {
  const Progress progress(told);
  std::vector<Nucleus> found;
  {
    const py::gil_scoped_release unlocked;
    found = self.detect(slide::open_slide(path), {mpp, scale}, tissue, progress.watch());
  }
  return array_of(found);
}

py::dict outputs(const OwnedDetector& self, const py::array& image) {
  const io::Samples samples = samples_of(image);
  std::vector<std::pair<std::string, Tensor<Cpu>>> maps;
  {
    const py::gil_scoped_release unlocked;
    maps = self.outputs(Pixels(samples).view());
  }
  py::dict named;
  for (const auto& [name, map] : maps) named[py::str(name)] = array_of(map.template view<const float>());
  return named;
}

/// Mean and deviation of each channel.
py::tuple statistics(const OwnedDetector& self, const py::array& image) {
  const io::Samples samples = samples_of(image);
  data::ChannelStatistics found;
  {
    const py::gil_scoped_release unlocked;
    found = self.statistics(Pixels(samples).view());
  }
  return py::make_tuple(py::array(py::cast(found.mean)), py::array(py::cast(found.deviation)));
}

}  // namespace

void bind_detector(py::module_& module) {
  py::class_<OwnedDetector>(module, "Detector")
      .def(py::init(&load))
      .def("detect", &detect)
      .def("detect_file", &detect_file)
      .def("detect_slide", &detect_slide)
      .def("outputs", &outputs)
      .def("statistics", &statistics)
      .def_property_readonly("classes", [](const OwnedDetector& self) { return self.detector().classes(); })
      .def_property_readonly("metadata", &OwnedDetector::metadata)
      .def_property_readonly("threads", [](const OwnedDetector& self) { return self.context().threads(); })
      .def_property_readonly("threshold", [](const OwnedDetector& self) { return self.peaks().threshold(); })
      .def_property_readonly("tile", [](const OwnedDetector& self) { return self.detector().tiles().cell; });
}

}  // namespace nucdet::python

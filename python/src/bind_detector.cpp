#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "detector.hpp"
#include "progress.hpp"
#include "text.hpp"

namespace nucdet::python {

namespace {

using Asked = std::optional<double>;
using Held = std::unique_ptr<OwnedDetector, DestroyWithTeam>;

Held load(const std::string& weights, int threads, bool exact, Asked threshold, Asked xi, std::optional<Index> tile,
          int average) {
  if (threads < 0) throw ArgumentError(message("Detector: threads is ", threads, ", must be at least 1"));
  const py::gil_scoped_release unlocked;
  return Held(new OwnedDetector(DetectorSettings{
      weights, threads, exact, {threshold, xi}, tile.value_or(detect::TileGrid::kAutomatic), average}));
}

/// What was found, and what there was to decide.
struct Found {
  std::vector<Nucleus> nuclei{};
  bool assumed = false;  ///< neither the caller nor a file says how large pixels are
  std::vector<std::string> notes{};

  py::tuple for_python() const { return py::make_tuple(array_of(nuclei), assumed, texts_of(notes)); }
};

/// Reference pixels to a pixel of an image of which only the caller says something.
double scale_of(Asked mpp, Asked scale) { return models::scaling_of({mpp, scale}, {}, "image", {}).scale; }

py::tuple detect(const OwnedDetector& self, const py::array& image, Asked mpp, Asked scale, const py::object& told) {
  const io::Samples samples = samples_of(image);
  const Progress progress(told);
  Found found;
  {
    const py::gil_scoped_release unlocked;
    const double by = scale_of(mpp, scale);
    const Pixels pixels(samples);
    found = {self.detect(pixels.view(), by, progress.watch()), false, pixels.notes()};
  }
  return found.for_python();
}

py::tuple detect_file(const OwnedDetector& self, const std::string& path, Asked mpp, Asked scale,
                      const py::object& told) {
  const Progress progress(told);
  Found found;
  {
    const py::gil_scoped_release unlocked;
    const io::Picture picture = io::read_picture(path);
    const models::Scaling scaling = models::scaling_of({mpp, scale}, {}, picture);
    found = {self.detect(picture.view(), scaling.scale, progress.watch()), !scaling.pixel_size.known(), picture.notes};
  }
  return found.for_python();
}

py::tuple detect_slide(const OwnedDetector& self, const std::string& path, Asked mpp, Asked scale,
                       const std::string& tissue, const std::string& origin, const py::object& told) {
  const Progress progress(told);
  Found found;
  {
    const py::gil_scoped_release unlocked;
    const slide::Slide slide = slide::open_slide(path);
    const models::Scaling scaling = models::scaling_of({mpp, scale}, {}, slide.where(), slide.pixel_size());
    found = {self.detect(slide, scaling.scale, {tissue, origin}, progress.watch()), !scaling.pixel_size.known(), {}};
  }
  return found.for_python();
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
  py::class_<OwnedDetector, Held>(module, "Detector")
      .def(py::init(&load))
      .def("detect", &detect)
      .def("detect_file", &detect_file)
      .def("detect_slide", &detect_slide)
      .def("outputs", &outputs)
      .def("statistics", &statistics)
      .def_property_readonly("classes", [](const OwnedDetector& self) { return self.detector().classes(); })
      .def_property_readonly("metadata", &OwnedDetector::metadata)
      .def_property_readonly("threads", &OwnedDetector::threads)
      .def_property_readonly("threshold", [](const OwnedDetector& self) { return self.peaks().threshold(); })
      .def_property_readonly("tile", [](const OwnedDetector& self) { return self.detector().tiles().cell; });
}

}  // namespace nucdet::python

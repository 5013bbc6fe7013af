#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/label/disc.hpp"
#include "nucdet/label/gaussian.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render.hpp"
#include "nucdet/label/render_classes.hpp"

#include "arrays.hpp"
#include "bindings.hpp"

namespace nucdet::python {

namespace {

/// An array [height, width] that draw(context, map) fills without Python's lock.
template <class Draw>
py::array_t<float> drawn(Index height, Index width, int threads, const Draw& draw) {
  if (height < 1 || width < 1)
    throw ShapeError(message("label: a map of ", height, " x ", width, " pixels, wanted at least 1 of each"));
  py::array_t<float> map({height, width});
  const View<float> view{map.mutable_data(), {1, height, width, 1}};
  const py::gil_scoped_release unlocked;
  Context<Cpu> context({.threads = threads});
  draw(context, view);
  return map;
}

template <class Profile>
py::array_t<float> render(const Profile& profile, const PointArray& points, Index height, Index width, int threads) {
  const std::vector<Point> centres = points_of(points, "label");
  return drawn(height, width, threads,
               [&](Context<Cpu>& context, View<float> map) { label::render(context, profile, centres, map); });
}

}  // namespace

void bind_labels(py::module_& module) {
  module.def("proximity_map",
             [](const PointArray& points, Index height, Index width, float alpha, float radius, int threads) {
               return render(label::ProximityMap{alpha, radius}, points, height, width, threads);
             });
  module.def("gaussian_map",
             [](const PointArray& points, Index height, Index width, float sigma, float scale, int threads) {
               return render(label::GaussianDensity{sigma, scale}, points, height, width, threads);
             });
  module.def("disc_map", [](const PointArray& points, Index height, Index width, float radius, int threads) {
    return render(label::Disc{radius}, points, height, width, threads);
  });
  module.def("class_map", [](const PointArray& points, std::vector<int> classes, Index height, Index width,
                             float radius, int threads) {
    const AnnotatedPoints nuclei{points_of(points, "label"), std::move(classes)};
    return drawn(height, width, threads, [&](Context<Cpu>& context, View<float> map) {
      label::render_batch(context, label::ClassDisc{radius}, std::span(&nuclei, 1), map);
    });
  });
}

}  // namespace nucdet::python

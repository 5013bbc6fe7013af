#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/io/picture.hpp"
#include "nucdet/slide/open.hpp"

#include "arrays.hpp"
#include "bindings.hpp"

namespace nucdet::python {

namespace {

/// Takes the picture's memory over.
template <class T>
py::array array_taking(std::vector<T> values, Index height, Index width) {
  auto* const owned = new std::vector<T>(std::move(values));
  const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>({height, width, io::Picture::kChannels}, owned->data(), owner);
}

/// Pixels, um a pixel (0: not known), who says so, notes.
py::tuple read_image(const std::string& path, std::optional<Index> page) {
  io::Picture picture;
  {
    const py::gil_scoped_release unlocked;
    picture = io::read_picture(path, {.page = page});
  }
  py::array pixels = std::visit(
      [&](auto& values) { return array_taking(std::move(values), picture.height, picture.width); }, picture.pixels);
  return py::make_tuple(pixels, picture.pixel_size.x, picture.pixel_size.y, picture.pixel_size.source, picture.notes);
}

/// (width, height, downsample) of each level.
py::list levels_of(const slide::Slide& slide) {
  py::list levels;
  for (const slide::Level& l : slide.levels()) levels.append(py::make_tuple(l.width, l.height, l.downsample_x));
  return levels;
}

py::array read_region(const slide::Slide& slide, Index level, Index x, Index y, Index width, Index height) {
  io::Picture picture;
  {
    const py::gil_scoped_release unlocked;
    picture = slide.read(level, {x, y, width, height});
  }
  return array_taking(std::move(std::get<io::Picture::Bytes>(picture.pixels)), picture.height, picture.width);
}

}  // namespace

void bind_pictures(py::module_& module) {
  module.def("read_image", &read_image);
  py::class_<slide::Slide>(module, "Slide")
      .def(py::init([](const std::string& path) {
        const py::gil_scoped_release unlocked;
        return slide::open_slide(path);
      }))
      .def_property_readonly("levels", &levels_of)
      .def_property_readonly("pixel_size", [](const slide::Slide& s) { return std::pair(s.pixel_size().x, s.pixel_size().y); })
      .def_property_readonly("associated", &slide::Slide::associated)
      .def("read", &read_region);
  module.def("is_slide", [](const std::string& path) {
    const py::gil_scoped_release unlocked;
    return slide::is_slide(path);
  });
  module.def("openslide_version", &slide::openslide_version);
  module.def("use_openslide", [](const std::string& library) { return slide::use_openslide(library); });
}

}  // namespace nucdet::python

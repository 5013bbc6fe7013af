#include <tuple>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/data/image_conversion.hpp"
#include "nucdet/io/picture.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/thumbnail.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "text.hpp"

namespace nucdet::python {

namespace {

/// Takes the picture's memory over.
template <class T>
py::array array_taking(std::vector<T> values, Index height, Index width) {
  auto* const owned = new std::vector<T>(std::move(values));
  const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>({height, width, io::Picture::kChannels}, owned->data(), owner);
}
py::array array_taking(io::Picture picture) {
  return std::visit(
      [&](auto& values) -> py::array { return array_taking(std::move(values), picture.height, picture.width); },
      picture.pixels);
}

/// Pixels, um a pixel (0: not known), who says so, notes.
py::tuple read_image(const std::string& path, std::optional<Index> page) {
  io::Picture picture;
  {
    const py::gil_scoped_release unlocked;
    picture = io::read_picture(path, {.page = page});
  }
  const io::PixelSize size = picture.pixel_size;
  const py::list notes = texts_of(picture.notes);
  return py::make_tuple(array_taking(std::move(picture)), size.x, size.y, text_of(size.source), notes);
}

/// What a network sees of an array before it is normalised: [height, width, 3] in [0, 1].
py::array float_pixels(const py::array& image) {
  const io::Samples samples = samples_of(image);
  Image floats;
  {
    const py::gil_scoped_release unlocked;
    Context<Cpu> context({.threads = 1});
    floats = data::to_image(context, Pixels(samples).view());
  }
  return array_of(view_of(std::as_const(floats)));
}

/// (width, height, downsample) of each level.
py::list levels_of(const slide::Slide& slide) {
  py::list levels;
  for (const slide::Level& l : slide.levels()) levels.append(py::make_tuple(l.width, l.height, l.downsample_x));
  return levels;
}

/// The picture that read() makes without Python's lock.
template <class Read>
py::array picture_by(const Read& read) {
  io::Picture picture;
  {
    const py::gil_scoped_release unlocked;
    picture = read();
  }
  return array_taking(std::move(picture));
}

void bind_slide(py::module_& module) {
  using slide::Slide;
  py::class_<Slide>(module, "Slide")
      .def(py::init([](const std::string& path) {
        const py::gil_scoped_release unlocked;
        return slide::open_slide(path);
      }))
      .def_property_readonly("levels", &levels_of)
      .def_property_readonly("pixel_size", [](const Slide& s) { return std::pair(s.pixel_size().x, s.pixel_size().y); })
      .def_property_readonly("bounds",
                             [](const Slide& s) {
                               const slide::Rectangle b = s.bounds();
                               return std::tuple(b.x, b.y, b.width, b.height);
                             })
      .def_property_readonly("associated", [](const Slide& s) { return texts_of(s.associated()); })
      .def("read",
           [](const Slide& s, Index level, Index x, Index y, Index width, Index height) {
             return picture_by([&] { return s.read(level, {x, y, width, height}); });
           })
      .def("read_associated",
           [](const Slide& s, const std::string& name) { return picture_by([&] { return s.read_associated(name); }); })
      .def("thumbnail",
           [](const Slide& s, Index longest) { return picture_by([&] { return slide::thumbnail(s, longest); }); });
}

}  // namespace

void bind_pictures(py::module_& module) {
  module.def("read_image", &read_image);
  module.def("float_pixels", &float_pixels);
  bind_slide(module);
  module.def("is_slide", [](const std::string& path) {
    const py::gil_scoped_release unlocked;
    return slide::is_slide(path);
  });
  module.def("openslide_version", &slide::openslide_version);
  module.def("use_openslide", [](const std::string& library) { return slide::use_openslide(library); });
}

}  // namespace nucdet::python

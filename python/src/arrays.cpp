#include "arrays.hpp"

#include <cstring>
#include <utility>

#include "nucdet/core/error.hpp"

namespace nucdet::python {

namespace {

std::size_t place(py::ssize_t i) { return static_cast<std::size_t>(i); }

io::SampleType type_of(const py::dtype& type) {
  constexpr std::pair<char, py::ssize_t> kKinds[] = {{'u', 1}, {'u', 2}, {'i', 2}, {'u', 4},
                                                     {'i', 4}, {'f', 4}, {'f', 8}};  // in the order of SampleType
  for (std::size_t i = 0; i < std::size(kKinds); ++i)
    if (kKinds[i].first == type.kind() && kKinds[i].second == type.itemsize()) return static_cast<io::SampleType>(i);
  throw ArgumentError(message("image: an array of ", std::string(py::str(type.attr("name"))),
                              ", wanted uint8, uint16, int16, uint32, int32, float32 or float64"));
}

}  // namespace

py::dtype nucleus_type() {
  // Aligned: of any other type NumPy's joins drop the gap at the end. Made when the module is, and never destroyed.
  static PyObject* const type = [] {
    py::list fields;
    for (const auto& [name, kind] : {std::pair{"x", "f8"}, {"y", "f8"}, {"score", "f4"}, {"class", "i4"}})
      fields.append(py::make_tuple(name, kind));
    fields.append(py::make_tuple("class_probability", "f4"));
    return py::module_::import("numpy").attr("dtype")(fields, py::arg("align") = true).release().ptr();
  }();
  static_assert(sizeof(NucleusRow) == 32);
  return py::reinterpret_borrow<py::dtype>(type);
}

py::array array_of(const std::vector<Nucleus>& nuclei) {
  py::array array(nucleus_type(), std::vector<py::ssize_t>{static_cast<py::ssize_t>(nuclei.size())});
  auto* row = static_cast<NucleusRow*>(array.mutable_data());
  for (const Nucleus& n : nuclei) *row++ = {n.centre.x, n.centre.y, n.score, n.class_id, n.class_probability, 0};
  return array;
}

std::vector<Nucleus> nuclei_of(const py::array& array) {
  if (!array.dtype().equal(nucleus_type()) || array.ndim() != 1)
    throw ArgumentError("nuclei: wanted an array of nucdet.NUCLEUS, as Detector.detect gives");
  const py::array rows = py::array::ensure(array, py::array::c_style);
  const auto* from = static_cast<const char*>(rows.data());  // which may lie at any address
  std::vector<Nucleus> nuclei;
  nuclei.reserve(place(rows.size()));
  for (py::ssize_t i = 0; i < rows.size(); ++i, from += sizeof(NucleusRow)) {
    NucleusRow row;
    std::memcpy(&row, from, sizeof row);
    nuclei.push_back({{row.x, row.y}, row.score, row.class_id, row.class_probability});
  }
  return nuclei;
}

std::vector<Point> points_of(const PointArray& array, const char* where) {
  if (array.ndim() != 2 || array.shape(1) != 2)
    throw ShapeError(message(where, ": wanted points as an array [N, 2] of x and y, or nuclei"));
  std::vector<Point> points(place(array.shape(0)));
  const double* values = array.data();
  for (Point& p : points) p.x = *values++, p.y = *values++;
  return points;
}

py::array_t<double> array_of(const std::vector<Point>& points) {
  py::array_t<double> array({static_cast<py::ssize_t>(points.size()), py::ssize_t{2}});
  double* values = array.mutable_data();
  for (const Point& p : points) *values++ = p.x, *values++ = p.y;
  return array;
}

std::vector<Area> areas_of(const Rings& all) {
  std::vector<Area> areas;
  for (const std::vector<PointArray>& rings : all) {
    Area& area = areas.emplace_back();
    for (const PointArray& ring : rings) area.rings.push_back(points_of(ring, "areas"));
  }
  return areas;
}

io::Samples samples_of(const py::array& array) {
  const py::ssize_t dimensions = array.ndim(), size = array.itemsize();
  if (dimensions != 2 && dimensions != 3)
    throw ShapeError(
        message("image: an array of ", dimensions, " dimensions, wanted [height, width] or [height, width, channels]"));
  io::Samples samples{.data = array.data(),
                      .type = type_of(array.dtype()),
                      .height = array.shape(0),
                      .width = array.shape(1),
                      .channels = dimensions == 3 ? array.shape(2) : 1};
  const bool side_by_side = (samples.width <= 1 || array.strides(1) == samples.channels * size) &&
                            (samples.channels <= 1 || array.strides(dimensions - 1) == size);
  if (!side_by_side) throw ShapeError("image: the pixels of the array do not lie side by side");
  samples.row_stride = samples.height <= 1 ? samples.width * samples.channels * size : array.strides(0);
  return samples;
}

Pixels::Pixels(const io::Samples& s) {
  if (!io::is_picture(s)) {
    try {
      made_ = io::picture_of(s, "image");
    } catch (const IoError& error) { throw ArgumentError(error.what()); }  // there is no file: the call is wrong
    view_ = made_->view();
  } else if (s.type == io::SampleType::u8) {
    view_ = {static_cast<const std::uint8_t*>(s.data), s.height, s.width, s.channels, s.row_stride};
  } else {
    view_ = {static_cast<const std::uint16_t*>(s.data), s.height, s.width, s.channels, s.row_stride};
  }
}

py::array_t<float> array_of(View<const float> map) {
  std::vector<py::ssize_t> shape{map.shape.h, map.shape.w, map.shape.c};
  py::array_t<float> array(shape);
  float* to = array.mutable_data();
  for (Index y = 0; y < map.shape.h; ++y)
    for (Index x = 0; x < map.shape.w; ++x, to += map.shape.c)
      std::memcpy(to, map.pixel(0, y, x), static_cast<std::size_t>(map.shape.c) * sizeof(float));
  return array;
}

}  // namespace nucdet::python

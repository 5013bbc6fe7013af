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

py::dtype nucleus_type() { return py::dtype::of<NucleusRow>(); }

py::array array_of(const std::vector<Nucleus>& nuclei) {
  py::array_t<NucleusRow> array(static_cast<py::ssize_t>(nuclei.size()));
  NucleusRow* row = array.mutable_data();
  for (const Nucleus& n : nuclei) *row++ = {n.centre.x, n.centre.y, n.score, n.class_id, n.class_probability, 0};
  return array;
}

std::vector<Nucleus> nuclei_of(const py::array& array) {
  if (!py::isinstance<py::array_t<NucleusRow>>(array) || array.ndim() != 1)
    throw ArgumentError("nuclei: wanted an array of nucdet.NUCLEUS, as Detector.detect gives");
  const auto rows = py::array_t<NucleusRow, py::array::c_style>::ensure(array);
  std::vector<Nucleus> nuclei;
  nuclei.reserve(place(rows.size()));
  for (py::ssize_t i = 0; i < rows.size(); ++i) {
    const NucleusRow& row = rows.data()[i];
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
    made_ = io::picture_of(s, "image");
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

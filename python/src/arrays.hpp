#pragma once
#include <optional>
#include <string>
#include <vector>

#include <pybind11/numpy.h>

#include "nucdet/core/area.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/io/samples.hpp"

/// NumPy's arrays as nucdet's points, pixels and nuclei, and back.
namespace nucdet::python {

namespace py = pybind11;

/// A nucleus in an array.
struct NucleusRow {
  double x, y;
  float score;
  std::int32_t class_id;
  float class_probability;
  std::int32_t unused;  ///< what would be a gap, as zeros
};

/// The fields x, y, score, class, class_probability, in a type that NumPy keeps where it joins arrays.
py::dtype nucleus_type();
py::array array_of(const std::vector<Nucleus>& nuclei);
/// Throws ArgumentError for an array of another type.
std::vector<Nucleus> nuclei_of(const py::array& array);

using PointArray = py::array_t<double, py::array::c_style | py::array::forcecast>;
/// Of [N, 2]: x, y. Throws ShapeError.
std::vector<Point> points_of(const PointArray& array, const char* where);
py::array_t<double> array_of(const std::vector<Point>& points);

/// Areas as Python has them: lists of rings of points.
using Rings = std::vector<std::vector<PointArray>>;
std::vector<Area> areas_of(const Rings& all);

/// An array [H, W] or [H, W, C] whose pixels lie side by side. Throws ArgumentError for another type of numbers,
/// ShapeError for another shape. It points into the array.
io::Samples samples_of(const py::array& array);

/// Pixels as detectors take them: those of an array itself where they are a picture as they lie, else a picture made of
/// them. Made without Python's lock; the samples must outlive it. Throws ArgumentError for values that make no picture.
class Pixels {
 public:
  explicit Pixels(const io::Samples& samples);
  const data::ImageView& view() const { return view_; }
  /// What there was to decide.
  std::vector<std::string> notes() const { return made_ ? made_->notes : std::vector<std::string>(); }

 private:
  std::optional<io::Picture> made_;
  data::ImageView view_;
};

/// A map on the host as an array [H, W, C].
py::array_t<float> array_of(View<const float> map);

}  // namespace nucdet::python

#include <pybind11/numpy.h>

#include "nucdet/version.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "errors.hpp"

PYBIND11_MODULE(_nucdet, module) {
  using namespace nucdet::python;
  using nucdet::python::NucleusRow;
  module.doc() = "nucdet's library for the package nucdet, which is what to use.";
  module.attr("version") = NUCDET_VERSION_STRING;
  PYBIND11_NUMPY_DTYPE_EX(NucleusRow, x, "x", y, "y", score, "score", class_id, "class", class_probability,
                          "class_probability");
  module.attr("nucleus_type") = nucleus_type();
  translate_errors();
  bind_pictures(module);
  bind_detector(module);
  bind_matching(module);
  bind_labels(module);
  bind_annotations(module);
  bind_training(module);
}

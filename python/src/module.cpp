#include <pybind11/pybind11.h>

#include "nucdet/version.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "errors.hpp"

namespace py = pybind11;

namespace {

/// Arrays of NumPy 2 have another layout than pybind11 knew before 2.12: it would read other memory.
void check_numpy() {
#if PYBIND11_VERSION_MAJOR == 2 && PYBIND11_VERSION_MINOR < 12
  const std::string version = py::str(py::module_::import("numpy").attr("__version__"));
  if (!version.starts_with("1."))
    throw py::import_error(
        "nucdet was built with pybind11 " PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(
            PYBIND11_VERSION_MINOR) ", which goes with NumPy 1, and this is NumPy " +
        version + ": build it with pybind11 2.12 or newer");
#endif
}

}  // namespace

PYBIND11_MODULE(_nucdet, module) {
  check_numpy();
  using namespace nucdet::python;
  module.doc() = "nucdet's library for the package nucdet, which is what to use.";
  module.attr("version") = NUCDET_VERSION_STRING;
  module.attr("nucleus_type") = nucleus_type();
  translate_errors();
  bind_pictures(module);
  bind_detector(module);
  bind_matching(module);
  bind_labels(module);
  bind_annotations(module);
  bind_training(module);
}

#pragma once
#include <utility>

#include <pybind11/pybind11.h>

#include "nucdet/core/watch.hpp"

namespace nucdet::python {

namespace py = pybind11;

/// Long work runs without Python's lock. Between its pieces it comes here: Ctrl-C is heard, then the caller's function
/// is told how far the work is; what either raises ends the work and reaches the caller.
class Progress {
 public:
  /// function: called as function(done, all), or None.
  explicit Progress(py::object function) : function_(std::move(function)) {}

  void operator()(Index done, Index all) const {
    const py::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!function_.is_none()) function_(done, all);
  }
  /// For one piece of work; this object must outlive it.
  Watch watch() const {
    return {.stop = {}, .progress = [this](Index done, Index all) { (*this)(done, all); }};
  }

 private:
  py::object function_;
};

}  // namespace nucdet::python

#pragma once
#include <pybind11/pybind11.h>

/// The parts of the module, a file each. nucdet/_nucdet.pyi says what they hold.
namespace nucdet::python {

void bind_annotations(pybind11::module_& module);
void bind_detector(pybind11::module_& module);
void bind_labels(pybind11::module_& module);
void bind_matching(pybind11::module_& module);
void bind_pictures(pybind11::module_& module);
void bind_training(pybind11::module_& module);

}  // namespace nucdet::python

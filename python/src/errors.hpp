#pragma once
#include <pybind11/pybind11.h>

namespace nucdet::python {

namespace py = pybind11;

/// Makes Python's exceptions of nucdet's: ArgumentError and ShapeError are ValueError, IoError is OSError, NumericError
/// is ArithmeticError, Stopped and all others are RuntimeError. The text stays.
void translate_errors();

}  // namespace nucdet::python

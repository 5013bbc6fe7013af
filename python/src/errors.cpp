#include "errors.hpp"

#include <exception>
#include <filesystem>
#include <string>

#include "nucdet/core/watch.hpp"

namespace nucdet::python {

namespace {

/// Names of files may hold any bytes.
void raise(PyObject* kind, const std::string& text) {
  const auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
  if (message) PyErr_SetObject(kind, message.ptr());
}

void translate(std::exception_ptr thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const ArgumentError& error) { raise(PyExc_ValueError, error.what()); } catch (const ShapeError& error) {
    raise(PyExc_ValueError, error.what());
  } catch (const IoError& error) { raise(PyExc_OSError, error.what()); } catch (const NumericError& error) {
    raise(PyExc_ArithmeticError, error.what());
  } catch (const Error& error) {
    raise(PyExc_RuntimeError, error.what());
  } catch (const std::filesystem::filesystem_error& error) { raise(PyExc_OSError, error.what()); }
}

}  // namespace

void translate_errors() { py::register_exception_translator(&translate); }

}  // namespace nucdet::python

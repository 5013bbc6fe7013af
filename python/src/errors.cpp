#include "errors.hpp"

#include <exception>
#include <filesystem>
#include <string>

#include "nucdet/core/watch.hpp"

#include "text.hpp"

namespace nucdet::python {

namespace {

void raise(PyObject* kind, const std::string& text) { PyErr_SetObject(kind, text_of(text).ptr()); }

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

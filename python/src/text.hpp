#pragma once
#include <string>
#include <vector>

#include <pybind11/pybind11.h>

namespace nucdet::python {

namespace py = pybind11;

/// Text of the library for Python. Names of files may hold any bytes: those that are no UTF-8 are shown as \xff.
inline py::str text_of(const std::string& text) {
  PyObject* const made = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}
inline py::list texts_of(const std::vector<std::string>& texts) {
  py::list all;
  for (const std::string& text : texts) all.append(text_of(text));
  return all;
}

}  // namespace nucdet::python

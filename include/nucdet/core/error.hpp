#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace nucdet {

/// Root of everything the library throws on purpose. A message says where, what was found, and what was wanted.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Sizes or channels that do not fit together.
struct ShapeError : Error {
  using Error::Error;
};

/// A setting outside its range, thrown where the object is made.
struct ArgumentError : Error {
  using Error::Error;
};

/// A file that is missing, truncated, malformed, or does not fit what it is read into.
struct IoError : Error {
  using Error::Error;
};

/// Numbers that left the finite range (a loss or a weight became NaN or infinite).
struct NumericError : Error {
  using Error::Error;
};

/// A failure of the CUDA runtime, its driver or cuDNN.
struct CudaError : Error {
  using Error::Error;
};

/// Joins its arguments into one string: message("radius is ", -1, ", must be >= 1").
template <class... Parts>
std::string message(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

}  // namespace nucdet

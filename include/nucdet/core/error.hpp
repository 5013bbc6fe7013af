#pragma once
#include <charconv>
#include <concepts>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

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

namespace detail {

// Overloads rather than one stream expression: messages are everywhere, and each stream operator costs compile time.
inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, char part) { text += part; }
inline void append(std::string& text, std::integral auto part) { text += std::to_string(part); }
inline void append(std::string& text, std::floating_point auto part) {
  char digits[32];  // six of them, whatever the program's locale
  text.append(
      digits,
      std::to_chars(digits, digits + sizeof digits, static_cast<double>(part), std::chars_format::general, 6).ptr);
}
template <class Part>
requires(!std::convertible_to<const Part&, std::string_view> &&
         !std::is_arithmetic_v<Part>) void append(std::string& text, const Part& part) {
  std::ostringstream stream;
  stream << part;
  text += stream.str();
}

}  // namespace detail

/// Joins its arguments into one string: message("radius is ", -1, ", must be >= 1").
template <class... Parts>
std::string message(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

}  // namespace nucdet

#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "nucdet/core/error.hpp"

#include "options.hpp"

/// Ranges of numbers on the command line. Each reads the whole word, before CLI11 does: a number that is too large is
/// refused, not cut, and messages say the range in words.
namespace nucdet::program {

namespace detail {

/// The number that a word is, whole and finite; false for anything else.
template <class T>
bool read_number(std::string_view word, T& value) {
  if (word.starts_with('+')) word.remove_prefix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() && !word.empty() &&
         std::isfinite(static_cast<double>(value));
}

template <class T, class Fits>
CLI::Validator range(const std::string& wanted, const Fits& fits) {
  const auto check = [wanted, fits](const std::string& word) {
    T value{};
    // CLI11 would read 010 as 8.
    const bool octal = std::is_integral_v<T> && word.size() > 1 &&
                       word.substr(word.find_first_not_of("+-") == 1 ? 1 : 0).starts_with('0');
    if (!octal && read_number(word, value) && fits(value)) return std::string();
    constexpr std::size_t kMostShown = 40;
    return message("'", word.size() > kMostShown ? word.substr(0, kMostShown) + "..." : word, "', wanted ", wanted);
  };
  return CLI::Validator(check, "");
}

}  // namespace detail

/// A whole number.
inline CLI::Validator whole(std::int64_t least, std::int64_t most) {
  return detail::range<std::int64_t>(message("a whole number from ", least, " to ", most),
                                     [=](std::int64_t v) { return v >= least && v <= most; });
}

/// A number, the ends included.
inline CLI::Validator within(double least, double most) {
  return detail::range<double>(message("a number from ", least, " to ", most),
                               [=](double v) { return v >= least && v <= most; });
}

inline constexpr double kMostNumber = 1e15;  ///< of what has no other end

inline CLI::Validator at_least_0() {
  return detail::range<double>("a number of at least 0", [](double v) { return v >= 0 && v <= kMostNumber; });
}
inline CLI::Validator above_0() {
  return detail::range<double>("a number above 0", [](double v) { return v > 0 && v <= kMostNumber; });
}

/// Source pixels to reference pixels, as far as data::check_scale goes.
inline CLI::Validator scale_range() { return within(1.0 / 64, 64); }

inline CLI::Validator any_seed() {
  return detail::range<std::uint64_t>(message("a whole number from 0 to ", std::numeric_limits<std::uint64_t>::max()),
                                      [](std::uint64_t) { return true; });
}

}  // namespace nucdet::program

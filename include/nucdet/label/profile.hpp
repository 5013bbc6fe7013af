#pragma once
#include <concepts>
#include <type_traits>

#include "nucdet/core/error.hpp"

namespace nucdet::label {

/// How the centres near a pixel combine: the nearest alone counts, or the contributions of all are added.
enum class Combine { nearest, sum };

/// What a label map is made of: the value of a pixel as a function of its distance to a nucleus centre.
///
///   static constexpr Combine combine;
///   NUCDET_HD float operator()(float squared_distance) const;  ///< in pixels^2; 0 for anything beyond the reach
///   NUCDET_HD double reach() const;                            ///< pixels; beyond it the value is 0
///   void check() const;                                        ///< throws ArgumentError for settings out of range
///
/// A squared distance is what the renderer has; a profile that needs the root takes it. Squared distances of up to 1e30
/// are asked for (pixels that no centre reaches). Keep it free of branches and calls where speed matters: the renderer
/// runs it over whole rows.
template <class P>
concept LabelProfile = std::is_trivially_copyable_v<P> && requires(const P& profile, float squared_distance) {
  { P::combine } -> std::convertible_to<Combine>;
  { profile(squared_distance) } -> std::same_as<float>;
  { profile.reach() } -> std::convertible_to<double>;
  profile.check();
};

/// A profile that splits itself: profile(s) == profile.at(profile.distance(s)). The renderer then runs one after the
/// other over a row, since a processor overlaps more of two short chains of instructions than of a long one.
template <class P>
concept StagedProfile = LabelProfile<P> && requires(const P& profile, float number) {
  { profile.distance(number) } -> std::same_as<float>;
  { profile.at(number) } -> std::same_as<float>;
};

/// Radii are limited so that distances stay exact enough in float and a mistaken unit is noticed.
inline constexpr double kLargestReach = 4096;

namespace detail {

/// Throws ArgumentError unless low <= value <= high (so also for NaN).
inline void check_range(const char* what, double value, double low, double high) {
  if (!(value >= low && value <= high))
    throw ArgumentError(message(what, " is ", value, ", must be in [", low, ", ", high, "]"));
}

}  // namespace detail
}  // namespace nucdet::label

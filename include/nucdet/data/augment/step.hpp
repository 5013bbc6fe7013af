#pragma once
#include <concepts>
#include <type_traits>

#include "nucdet/core/error.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/core/view.hpp"

namespace nucdet::data {

/// A change of a crop's pixels, drawn for that crop alone: numbers that the host draws and any device applies.
///
///   bool active;                            ///< false: the crop stays as it is
///   static constexpr Index kBlock;          ///< the side of the square of pixels that one call writes
///   static constexpr int kPasses;           ///< 1: in place; 2: the crop into a buffer and back
///   NUCDET_HD void apply(int pass, const View<const float>& from, const View<float>& to, Index n, Index y, Index x)
///   NUCDET_HD bool covers(Point) const;     ///< whether a nucleus there cannot be seen any more (where it can happen)
///
/// A call owns the block of image n that begins at (y, x). Pass 0 reads `from`, anywhere if there are two passes and in
/// its own block if there is one; pass 1 reads the buffer anywhere, and of the crop, which it writes, its own block.
template <class C>
concept CropChange = std::is_trivially_copyable_v<C> &&
    requires(const C& change, View<const float> from, View<float> to) {
  { change.active } -> std::convertible_to<bool>;
  { C::kBlock } -> std::convertible_to<Index>;
  { C::kPasses } -> std::convertible_to<int>;
  change.apply(0, from, to, Index{}, Index{}, Index{});
};

/// A way to vary crops: settings, and what is drawn of them for a crop of `size` pixels a side. `kName` names it in
/// messages, `chance` is the share of crops that it changes.
template <class S>
concept AugmentationStep = CropChange<typename S::Change> && requires(const S& step, RandomStream& random) {
  { S::kName } -> std::convertible_to<const char*>;
  { step.chance } -> std::convertible_to<double>;
  step.check();
  { step.draw(Index{}, random) } -> std::same_as<typename S::Change>;
};

template <class C>
concept CoveringChange = CropChange<C> && requires(const C& change, Point p) {
  { change.covers(p) } -> std::same_as<bool>;
};

namespace detail {

/// Blocks of a change along an axis; a pattern of squares may begin before the crop does.
constexpr Index blocks_of(Index extent, Index block) { return block == 1 ? extent : (extent + block - 1) / block + 1; }

NUCDET_HD inline float clamp_unit(float v) { return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v; }

/// An approximately normal number from 32 random bits, mean 0, deviation 1: the sum of their four bytes.
NUCDET_HD inline float normal_of(std::uint32_t word) {
  const int sum = static_cast<int>((word & 255u) + ((word >> 8) & 255u) + ((word >> 16) & 255u) + (word >> 24));
  return static_cast<float>(sum - 510) * (1.0f / 147.8f);
}

/// Throws ArgumentError unless least <= value <= most.
inline void check_range(const char* name, double value, double least, double most) {
  if (!(value >= least && value <= most))
    throw ArgumentError(message("augmentation '", name, "' is ", value, ", must be in [", least, ", ", most, "]"));
}

}  // namespace detail

}  // namespace nucdet::data

#pragma once
#include <bit>
#include <cstdint>

namespace nucdet::nn {

/// A number as a template argument: Scale<0.3f>, ChannelDropout<0.5f>. Not every compiler takes a float there itself;
/// its bits they all take.
struct Number {
  std::uint64_t bits = 0;

  constexpr Number(double value = 0) : bits(std::bit_cast<std::uint64_t>(value)) {}
  constexpr Number(float value) : Number(static_cast<double>(value)) {}
  constexpr Number(int value) : Number(static_cast<double>(value)) {}

  constexpr double value() const { return std::bit_cast<double>(bits); }
  constexpr float single() const { return static_cast<float>(value()); }
  bool operator==(const Number&) const = default;
};

}  // namespace nucdet::nn

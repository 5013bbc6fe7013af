#pragma once
#include <cstdint>
#include <cstring>

#include "nucdet/core/config.hpp"

namespace nucdet::label {

/// The two elementary functions of the profiles, written without calls and branches so that any compiler makes vectors
/// of them: std::sqrt and std::exp set errno, which keeps a loop of them scalar.
namespace detail {

NUCDET_HD inline float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// 2^n and expm1(r), with x = n ln 2 + r and |r| <= ln(2)/2: exp(x) = scale * rest + scale. Needs |x| <= 87; a clamp
/// here would tempt compilers into branches, so callers bound their argument.
struct ReducedExp {
  float scale, rest;
};

NUCDET_HD inline ReducedExp reduced_exp(float x) {
  const int n = static_cast<int>(x * 1.44269504f + 128.5f) - 128;  // rounds: the sum is positive
  const float whole = static_cast<float>(n);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.0f / 5040.0f;                                             // Taylor to r^7: the error is below 1e-8 of r
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  return {from_bits(static_cast<std::uint32_t>(n + 127) << 23), r + r * r * p};
}

/// exp(x) - 1 for |x| <= 87, to about 2 units in the last place.
NUCDET_HD inline float expm1(float x) {
  const ReducedExp e = reduced_exp(x);
  return e.scale * e.rest + (e.scale - 1.0f);
}

/// exp(x) for |x| <= 87, to about 2 units in the last place.
NUCDET_HD inline float exp(float x) {
  const ReducedExp e = reduced_exp(x);
  return e.scale * e.rest + e.scale;
}

/// Square root of 0 <= x <= 1e30, to about 1 unit in the last place: an estimate from the bits and Newton's steps.
NUCDET_HD inline float root(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  float y = from_bits(0x5F375A86u - (bits >> 1));
  y = y * (1.5f - 0.5f * x * y * y);
  y = y * (1.5f - 0.5f * x * y * y);
  y = y * (1.5f - 0.5f * x * y * y);
  const float s = x * y;
  return s + 0.5f * y * (x - s * s);
}

}  // namespace detail
}  // namespace nucdet::label

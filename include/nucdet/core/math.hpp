#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "nucdet/core/config.hpp"

namespace nucdet::math {

/// Elementary functions of label profiles and activations, written without calls and branches so that any compiler
/// makes vectors of them: std::sqrt and std::exp set errno, which keeps a loop of them scalar.
NUCDET_HD inline float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The bits of |x|, with the sign bit apart: comparing them as integers compiles to vector code where floats do not.
NUCDET_HD inline std::uint32_t to_bits(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// x brought into [-limit, limit]; NaN stays NaN.
NUCDET_HD inline float clamp_magnitude(float x, float limit) {
  const std::uint32_t bits = to_bits(x), magnitude = bits & 0x7FFFFFFFu, most = to_bits(limit);
  const std::uint32_t bounded = magnitude > most && magnitude <= 0x7F800000u ? most : magnitude;
  return from_bits(bounded | (bits & 0x80000000u));
}
inline double clamp_magnitude(double x, double limit) { return x < -limit ? -limit : x > limit ? limit : x; }

/// min(x, 0), as a comparison of the bits as integers. NaN need not stay NaN, but x - negative_part(x), which is
/// max(x, 0) exactly, keeps it.
NUCDET_HD inline float negative_part(float x) {
  const auto whole = static_cast<std::int32_t>(to_bits(x));
  return from_bits(static_cast<std::uint32_t>(whole < 0 ? whole : 0));
}
NUCDET_HD inline double negative_part(double x) { return x < 0 ? x : 0; }

/// max(x, -limit) for x <= 0: the bits of negative floats grow with the magnitude.
NUCDET_HD inline float bounded_below(float x, float limit) {
  const std::uint32_t bits = to_bits(x), least = to_bits(-limit);
  return from_bits(bits < least ? bits : least);
}
inline double bounded_below(double x, double limit) { return x < -limit ? -limit : x; }

/// exp(x) for |x| <= 87, to about 2 units in the last place. A clamp here would tempt compilers into branches, so
/// callers bound their argument.
NUCDET_HD inline float exp(float x) {
  // x = n ln 2 + r, |r| <= ln(2)/2: exp(x) is 2^n times expm1(r) + 1.
  // Adding 1.5 * 2^23 leaves the rounded sum in the low bits; casting a NaN to an integer would be undefined.
  constexpr std::uint32_t kShift = 0x4B400000u;
  const float shifted = x * 1.44269504f + from_bits(kShift), whole = shifted - from_bits(kShift);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.0f / 5040.0f;                                             // Taylor to r^7: the error is below 1e-8 of r
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  const float scale = from_bits((to_bits(shifted) - (kShift - 127)) << 23);
  return scale * (r + r * r * p) + scale;
}

/// 2^x - 1 for |x| <= 120: to about 1.1e-7 of the larger of 2^x and 1, for x < 0 to 2e-7 of the result.
NUCDET_HD inline float exp2m1(float x) {
  // Adding it leaves the rounded sum in the low bits, and there what a float's exponent adds to it.
  constexpr float kShift = 12582912.0f + 127.0f;  // 1.5 * 2^23 + 127
  const float shifted = x + kShift, r = x - (shifted - kShift);
  const float scale = from_bits(to_bits(shifted) << 23);
  // (2^r - 1) / r to 1.1e-8 (Remez's exchange; Taylor's terms to as many would leave 4e-7), in pairs.
  const float r2 = r * r;
  const float first = 0.693147188f + 0.240226498f * r, second = 0.0555035743f + 0.00961823749f * r,
              third = 0.00133907355f + 0.000154035126f * r;
  const float rest = r * (first + r2 * (second + r2 * third));
  return scale * rest + (scale - 1.0f);
}

/// exp(x) - 1 for -83 <= x <= 0, where it loses nothing by 2^x: to about 2e-7 of the result.
NUCDET_HD inline float expm1(float x) { return exp2m1(x * 1.44269504f); }

/// Double precision serves checks and may call the library.
inline double expm1(double x) { return std::expm1(x); }
inline double exp(double x) { return std::exp(x); }

/// |x| as bits: a comparison would be a branch.
NUCDET_HD inline float magnitude(float x) { return from_bits(to_bits(x) & 0x7FFFFFFFu); }

/// The density of the normal distribution, exp(-x^2 / 2) / sqrt(2 pi); that of 13 (2e-38) beyond +-13.
NUCDET_HD inline float normal_density(float x) {
  const float bounded = clamp_magnitude(x, 13.0f);
  return 0.39894228f * exp(-0.5f * bounded * bounded);
}
inline double normal_density(double x) { return 0.39894228040143268 * std::exp(-0.5 * x * x); }

/// The normal distribution function, (1 + erf(x / sqrt 2)) / 2, to 1e-7 [Abramowitz and Stegun 1964, 7.1.26].
NUCDET_HD inline float normal_cdf(float x) {
  const float bounded = clamp_magnitude(x, 13.0f), z = magnitude(bounded) * 0.70710678f;
  const float t = 1.0f / (1.0f + 0.3275911f * z);
  float p = 1.061405429f * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float inner = 0.5f - 0.5f * p * t * exp(-z * z);  // of the distribution between 0 and |x|
  return 0.5f + from_bits(to_bits(inner) | (to_bits(x) & 0x80000000u));
}
inline double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752); }

/// Square root of 0 <= x <= 1e30, to about 1 unit in the last place: the reciprocal root from the bits and one of
/// Newton's steps, then one of third order. Short chains of multiply-adds: this is the larger part of drawing a label.
NUCDET_HD inline float root(float x) {
  const float guess = from_bits(0x5F375A86u - (to_bits(x) >> 1));
  const float reciprocal = guess * (1.5f - 0.5f * (x * guess) * guess);
  const float root = x * reciprocal, off = 1.0f - root * reciprocal;
  return root + root * off * (0.5f + 0.375f * off);
}

}  // namespace nucdet::math

#include "cielab.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace nucdet::io::detail {

namespace {

double light_of(double f) { return f > 6.0 / 29 ? f * f * f : 3 * (6.0 / 29) * (6.0 / 29) * (f - 4.0 / 29); }
double srgb_of(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

/// CIE 15; the matrix is that of sRGB (IEC 61966-2-1) adapted from D65 to D50 after Bradford.
std::array<double, 3> rgb_of(double l, double a, double b) {
  const double fy = (l + 16) / 116;
  const double x = 0.96422 * light_of(fy + a / 500), y = light_of(fy), z = 0.82521 * light_of(fy - b / 200);
  return {srgb_of(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
          srgb_of(-0.9787684 * x + 1.9161415 * y + 0.0334540 * z),
          srgb_of(0.0719453 * x - 0.2289914 * y + 1.4052427 * z)};
}

template <class T, class Signed>
void convert(T* samples, Index count, double per_step) {
  constexpr double most = std::numeric_limits<T>::max();
  for (T* p = samples; p < samples + 3 * count; p += 3) {
    const auto rgb =
        rgb_of(p[0] * 100.0 / most, static_cast<Signed>(p[1]) * per_step, static_cast<Signed>(p[2]) * per_step);
    for (int c = 0; c < 3; ++c)
      p[c] = static_cast<T>(most * std::fmin(1.0, std::fmax(0.0, rgb[static_cast<std::size_t>(c)])) + 0.5);
  }
}

}  // namespace

void cielab_to_rgb(std::uint8_t* samples, Index count) { convert<std::uint8_t, std::int8_t>(samples, count, 1.0); }
void cielab_to_rgb(std::uint16_t* samples, Index count) {
  convert<std::uint16_t, std::int16_t>(samples, count, 1.0 / 256);
}

}  // namespace nucdet::io::detail

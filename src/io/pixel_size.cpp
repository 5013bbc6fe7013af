#include "pixel_size.hpp"

#include <cmath>
#include <utility>

namespace nucdet::io::detail {

std::optional<double> um_of(std::string_view unit) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"um", 1},          {"\xC2\xB5m", 1}, {"\xCE\xBCm", 1},  {"\xB5m", 1},        {"\\u00B5m", 1}, {"\\u00b5m", 1},
      {"micron", 1},      {"microns", 1},   {"micrometer", 1}, {"micrometre", 1},   {"nm", 1e-3},    {"pm", 1e-6},
      {"\xC3\x85", 1e-4}, {"mm", 1e3},      {"cm", 1e4},       {"dm", 1e5},         {"m", 1e6},      {"inch", 25400},
      {"inches", 25400},  {"in", 25400},    {"ft", 304800},    {"pt", 25400 / 72.0}};
  for (const auto& [name, um] : kUnits)
    if (unit == name) return um;
  return {};
}

PixelSize stated_size(double x, double y, std::string source) {
  const bool sound = std::isfinite(x) && std::isfinite(y) && x > 0 && y > 0;
  return sound ? PixelSize{x, y, std::move(source)} : PixelSize{};
}

PixelSize resolution_size(double x_per_unit, double y_per_unit, double um_per_unit, std::string source) {
  constexpr double kPrint = 10;
  const double x = um_per_unit / x_per_unit, y = um_per_unit / y_per_unit;
  return x < kPrint && y < kPrint ? stated_size(x, y, std::move(source)) : PixelSize{};
}

}  // namespace nucdet::io::detail

#include "nucdet/models/pixel_size.hpp"

#include <cmath>
#include <cstdio>

#include "nucdet/data/resample.hpp"

namespace nucdet::models {

namespace {

constexpr const char* kWays = "say it by --mpp UM or --scale FACTOR, or in a manifest's column 'mpp' or 'scale'";

bool plausible(double um) { return um >= kFinestPixel && um <= kCoarsestPixel; }

/// Two digits less than a double has: what 0.25 and 4 give and take in conversions is not shown.
std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

Scaling from_um(double x, double y, std::string source, const std::string& where) {
  const double um = std::sqrt(x * y);
  const std::string found = x == y ? shown(x) : message(shown(x), " x ", shown(y));
  if (!plausible(um))
    throw IoError(message(where, ": a pixel of ", found, " um (", source, "), wanted ", kFinestPixel, " to ",
                          kCoarsestPixel, ": ", kWays));
  if (std::abs(x - y) > 0.05 * um)
    throw IoError(message(where, ": a pixel of ", found, " um (", source, "), wanted square ones: ", kWays));
  return {um / kReferencePixel, {x, y, std::move(source)}};
}

Scaling from_scale(double scale, std::string source) {
  return {scale, {scale * kReferencePixel, scale * kReferencePixel, std::move(source)}};
}

}  // namespace

void check(const AskedPixelSize& asked) {
  if (asked.mpp && asked.scale) throw ArgumentError("both a pixel size and a scale were given, wanted one of them");
  if (asked.scale) data::check_scale(*asked.scale);
  if (asked.mpp && !plausible(*asked.mpp))
    throw ArgumentError(message("a pixel of ", *asked.mpp, " um, wanted ", kFinestPixel, " to ", kCoarsestPixel,
                                " (--scale takes any factor from 1/64 to 64)"));
}

Scaling scaling_of(const AskedPixelSize& asked, const io::ManifestEntry& entry, const std::string& where,
                   const io::PixelSize& found) {
  check(asked);
  if (asked.mpp) return from_um(*asked.mpp, *asked.mpp, "--mpp", where);
  if (asked.scale) return from_scale(*asked.scale, "--scale");
  if (entry.mpp) return from_um(*entry.mpp, *entry.mpp, "manifest", where);
  if (entry.scale) return from_scale(*entry.scale, "manifest");
  if (found.known()) return from_um(found.x, found.y, found.source, where);
  return {};
}

std::string PixelSizes::text_of(const Scaling& scaling) {
  const io::PixelSize& size = scaling.pixel_size;
  if (!size.known()) return message(kReferencePixel, " um (assumed: no file and no option says it");
  return message(shown(size.um()), " um (", size.source);
}

std::string PixelSizes::line(const Scaling& scaling) {
  std::string text = text_of(scaling);
  if (++count_[text] > 1) return {};
  const std::string resampled = scaling.scale == 1 ? "" : message(", scaled by ", shown(scaling.scale));
  return message("pixel size: ", text, ")", resampled);
}

std::string PixelSizes::all() const {
  std::string text;
  for (const auto& [size, count] : count_)
    text += message(text.empty() ? "pixel size: " : "; ", size, ", ", count, count == 1 ? " image)" : " images)");
  return text;
}

}  // namespace nucdet::models

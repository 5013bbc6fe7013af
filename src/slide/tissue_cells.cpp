#include "tissue_cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>

#include "otsu.hpp"

namespace nucdet::slide::detail {

namespace {

// Limits in steps of 8 bits. Between the first two Otsu's thresholds are taken: below is glass with dust, shade towards
// the corners and the noise of JPEG; above is pale tissue, which Otsu takes for glass beside much dark tissue.
constexpr float kLeastSaturation = 8, kMostSaturation = 16, kLeastDarkness = 28, kMostDarkness = 50;
constexpr float kNoise = 6;                          // thresholds lie so many spreads above glass
constexpr int kBlack = 12;                           // a dark fill that was compressed is no brighter
constexpr float kGlassColour = 24, kGlassPink = 12;  // glass has no more saturation, nor less green: that is stain
constexpr float kGlassDarkest = 180;
constexpr float kGlassShade = 40;  // and is no darker beside the brightest
constexpr float kGlassEven = 2;    // steps to a neighbour: faded tissue has more
constexpr float kGlassNear = 4;    // steps from the level that is taken
// Of the cells that were scanned. A picture of nothing but faded tissue has few that look like glass; and where there
// is little glass, white in its place does no harm.
constexpr double kLeastGlass = 0.05;

float luminance(float r, float g, float b) { return 0.299f * r + 0.587f * g + 0.114f * b; }

/// The colour of glass in light that went through nothing else, 0 to 255.
using Glass = std::array<float, 3>;

/// How much a cell differs from glass, 0 to 255: by colour (largest less smallest channel), and in light.
struct Stain {
  float saturation = 0, darkness = 0;
};

/// Above one of these a cell is tissue.
struct StainThresholds {
  float saturation = 0, darkness = 0;
};

struct Colour {
  float r, g, b;
  float light() const { return luminance(r, g, b); }
  float saturation() const { return std::max({r, g, b}) - std::min({r, g, b}); }
};
Colour colour_of(const std::array<std::uint16_t, 3>& rgb) {
  const auto value = [](std::uint16_t v) { return static_cast<float>(v) / CellMeans::kOne; };
  return {value(rgb[0]), value(rgb[1]), value(rgb[2])};
}

/// Calls visit(neighbour) for the cells within `reach` of (x, y), itself too, until one is false; whether none was.
template <class Visit>
bool all_near(const CellMeans& means, Index x, Index y, Index reach, const Visit& visit) {
  for (Index j = std::max<Index>(0, y - reach); j <= std::min(means.height - 1, y + reach); ++j)
    for (Index i = std::max<Index>(0, x - reach); i <= std::min(means.width - 1, x + reach); ++i)
      if (!visit(static_cast<std::size_t>(j * means.width + i))) return false;
  return true;
}

/// What the scanner filled in: neutral and the same everywhere, or black; and what lies beyond the bounds.
enum Fill : std::uint8_t { kNone, kFilled };
std::vector<Fill> fills_of(const CellMeans& means) {
  std::vector<Fill> fills(means.rgb.size());
  for (Index y = 0; y < means.height; ++y)
    for (Index x = 0; x < means.width; ++x) {
      const auto i = static_cast<std::size_t>(y * means.width + x);
      const auto& rgb = means.rgb[i];
      const bool constant = means.constant[i] != 0 && all_near(means, x, y, 1, [&](std::size_t j) {
                              return means.constant[j] != 0 && means.rgb[j] == rgb;
                            });
      const bool black = *std::max_element(rgb.begin(), rgb.end()) <= kBlack * CellMeans::kOne;
      if (means.constant[i] == CellMeans::kBeyond || constant || black) fills[i] = kFilled;
    }
  return fills;
}

/// The value that a part of all is not above.
float quantile(std::vector<float>& values, double part) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

bool may_be_glass(const Colour& c) { return c.saturation() <= kGlassColour && std::max(c.r, c.b) - c.g <= kGlassPink; }

/// Cells that are glass in full light: the brightest even, hardly coloured ones; none where there are few.
std::vector<std::size_t> glass_cells(const CellMeans& means, const std::vector<Fill>& fills) {
  std::vector<float> light(means.rgb.size()), seen;
  for (std::size_t i = 0; i < light.size(); ++i) {
    light[i] = colour_of(means.rgb[i]).light();
    if (fills[i] == kNone) seen.push_back(light[i]);
  }
  std::vector<std::size_t> found;
  if (seen.empty()) return found;
  const float darkest = std::max(kGlassDarkest, quantile(seen, 0.99) - kGlassShade);
  for (Index y = 0; y < means.height; ++y)
    for (Index x = 0; x < means.width; ++x) {
      const auto i = static_cast<std::size_t>(y * means.width + x);
      if (fills[i] == kNone && light[i] >= darkest && may_be_glass(colour_of(means.rgb[i])) &&
          all_near(means, x, y, 1, [&](std::size_t j) { return std::abs(light[j] - light[i]) <= kGlassEven; }))
        found.push_back(i);
    }
  if (static_cast<double>(found.size()) < kLeastGlass * static_cast<double>(seen.size())) return {};
  // Near the brightest, not the most frequent: on a slide full of pale, even tissue that would not be glass.
  std::vector<float> bright;
  for (const std::size_t i : found) bright.push_back(light[i]);
  const float level = quantile(bright, 0.9);
  std::erase_if(found, [&](std::size_t i) { return std::abs(light[i] - level) > kGlassNear; });
  return found;
}

/// White where there are none.
Glass glass_of(const CellMeans& means, const std::vector<std::size_t>& cells) {
  if (cells.empty()) return {255, 255, 255};
  Glass glass{};
  for (std::size_t c = 0; c < 3; ++c) {
    std::uint64_t sum = 0;
    for (const std::size_t i : cells) sum += means.rgb[i][c];
    glass[c] = static_cast<float>(static_cast<double>(sum) / static_cast<double>(cells.size() * CellMeans::kOne));
  }
  return glass;
}

/// In light that glass shows white: its tint is no stain.
Stain stain_of(const std::array<std::uint16_t, 3>& rgb, const Glass& glass) {
  const Colour seen = colour_of(rgb);
  const auto balanced = [](float v, float white) { return std::min(255.0f, v * 255 / white); };
  const Colour c{balanced(seen.r, glass[0]), balanced(seen.g, glass[1]), balanced(seen.b, glass[2])};
  return {c.saturation(), 255 - c.light()};
}

/// Otsu's threshold, on a scale of logarithms: it is to part glass from pale tissue, not pale from dark.
class LogarithmicOtsu {
 public:
  void add(float value) { ++histogram_[static_cast<std::size_t>(scale_ * std::log1p(value))]; }
  float threshold() const { return std::expm1(static_cast<float>(otsu(histogram_)) / scale_); }

 private:
  static constexpr std::size_t kBins = 256;
  const float scale_ = static_cast<float>(kBins - 1) / std::log(256.0f);
  std::array<std::uint64_t, kBins> histogram_{};
};

/// What even noise of glass stays below.
float above_noise(std::vector<float> values) {
  if (values.empty()) return 0;
  const float middle = quantile(values, 0.5);
  for (float& v : values) v = std::abs(v - middle);
  return middle + kNoise * 1.4826f * quantile(values, 0.5);  // the spread of a normal distribution by its median
}

/// `stain(i)`: of a cell. They are reckoned again where they are wanted, since a slide may have a hundred million
/// cells.
template <class StainOf>
StainThresholds thresholds_of(const StainOf& stain, const std::vector<Fill>& fills,
                              const std::vector<std::size_t>& glass) {
  const auto threshold = [&](float Stain::*value, float least, float most) {
    LogarithmicOtsu all;
    std::vector<float> of_glass;
    for (std::size_t i = 0; i < fills.size(); ++i)
      if (fills[i] == kNone) all.add(stain(i).*value);
    for (const std::size_t i : glass) of_glass.push_back(stain(i).*value);
    return std::max(std::clamp(all.threshold(), least, most), std::min(above_noise(std::move(of_glass)), 2 * most));
  };
  return {threshold(&Stain::saturation, kLeastSaturation, kMostSaturation),
          threshold(&Stain::darkness, kLeastDarkness, kMostDarkness)};
}

}  // namespace

Cells tissue_cells(const CellMeans& means) {
  const std::vector<Fill> fills = fills_of(means);
  const std::vector<std::size_t> glass = glass_cells(means, fills);
  const Glass colour = glass_of(means, glass);
  const auto stain = [&](std::size_t i) { return stain_of(means.rgb[i], colour); };
  const StainThresholds above = thresholds_of(stain, fills, glass);
  Cells cells(means.rgb.size());
  for (Index y = 0; y < means.height; ++y)
    for (Index x = 0; x < means.width; ++x) {
      const auto i = static_cast<std::size_t>(y * means.width + x);
      if (fills[i] != kNone) continue;
      // Beside a dark fill a cell is grey because a part of it is filled.
      const Stain of = stain(i);
      const bool dark = of.darkness > above.darkness && all_near(means, x, y, 2, [&](std::size_t j) {
                          return fills[j] == kNone || stain(j).darkness <= above.darkness;
                        });
      cells[i] = dark || of.saturation > above.saturation;
    }
  return cells;
}

}  // namespace nucdet::slide::detail

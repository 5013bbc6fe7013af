// A stain change must act on haematoxylin, eosin and the residual, each by a factor and a shift of its own.
#include <array>
#include <cmath>

#include "nucdet/data/augment/stain.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using data::StainChange;

namespace {

using Density = std::array<double, 3>;
constexpr Density kHaematoxylin{0.650, 0.704, 0.286}, kEosin{0.072, 0.990, 0.105};

/// Optical density of one pixel that absorbs `before`, after the change.
Density changed(const StainChange& change, const Density& before) {
  float pixel[3];
  for (std::size_t k = 0; k < 3; ++k) pixel[k] = static_cast<float>(std::exp(-before[k]));
  change.apply(pixel);
  Density after;
  for (std::size_t k = 0; k < 3; ++k) after[k] = -std::log(static_cast<double>(pixel[k]));
  return after;
}

}  // namespace

TEST_CASE("stain: more of one stain stays that stain, by one factor within the strength") {
  RandomStream random{4, 1};
  for (int k = 0; k < 20; ++k) {
    const StainChange change = StainChange::draw(0.2, random);
    double factors[2];
    for (const auto& stain : {kHaematoxylin, kEosin}) {
      Density some, more;
      for (std::size_t i = 0; i < 3; ++i) some[i] = 0.5 * stain[i] + 0.3, more[i] = 1.5 * stain[i] + 0.3;
      const Density a = changed(change, some), b = changed(change, more);
      const double factor = (b[1] - a[1]) / stain[1];  // shifts and what else is there fall out of the difference
      for (std::size_t i = 0; i < 3; ++i) CHECK(b[i] - a[i] == Approx(factor * stain[i]).margin(2e-5));
      CHECK(std::abs(factor - 1) < 0.2 + 1e-5);
      factors[stain == kEosin] = factor;
    }
    CHECK(std::abs(factors[0] - factors[1]) > 1e-4);  // each stain has its own
  }
}

TEST_CASE("stain: the same stream is the same change, and strength spreads it") {
  RandomStream a{1, 2}, b{1, 2};
  const StainChange one = StainChange::draw(0.15, a), two = StainChange::draw(0.15, b),
                    next = StainChange::draw(0.15, b);
  CHECK(std::equal(one.mix, one.mix + 9, two.mix));
  CHECK(std::equal(one.shift, one.shift + 3, two.shift));
  CHECK_FALSE(std::equal(one.mix, one.mix + 9, next.mix));
  const auto spread = [](double strength) {
    RandomStream random{3, 3};
    double sum = 0;
    for (int k = 0; k < 200; ++k)
      sum += std::abs(changed(StainChange::draw(strength, random), kHaematoxylin)[0] - 0.65);
    return sum / 200;
  };
  CHECK(spread(0.05) > 0.01);
  CHECK(spread(0.3) == Approx(6 * spread(0.05)).epsilon(0.05));
}

TEST_CASE("stain: black and white stay finite and in range") {
  RandomStream random{5, 5};
  for (int k = 0; k < 50; ++k)
    for (const float value : {0.0f, 1.0f}) {
      float pixel[3] = {value, value, value};
      StainChange::draw(0.9, random).apply(pixel);
      for (const float v : pixel) CHECK((v >= 0 && v <= 1));
    }
}

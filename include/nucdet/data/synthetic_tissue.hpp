#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/data/image.hpp"
#include "nucdet/data/value_noise.hpp"

namespace nucdet::data {

/// H&E-like tissue with known nucleus centres, for tests, tutorials and demonstrations where no annotated images are.
struct SyntheticTissue {
  Index height = 256, width = 256;  ///< pixels, as at 40x
  double density = 1500;            ///< nuclei per 1000 x 1000 pixels
  double radius = 9;                ///< pixels: mean half axis of a nucleus
  std::uint64_t seed = 1;

  void check() const {
    if (height < 32 || width < 32 || height > 32768 || width > 32768)
      throw ArgumentError(
          message("SyntheticTissue: ", width, 'x', height, " pixels, each side must be in [32, 32768]"));
    if (!(density >= 0 && density <= 10000))
      throw ArgumentError(message("SyntheticTissue: density is ", density, ", must be in [0, 10000]"));
    if (!(radius >= 3 && radius <= 40))
      throw ArgumentError(message("SyntheticTissue: radius is ", radius, ", must be in [3, 40]"));
  }
};

struct SyntheticImage {
  Image image;                ///< [h, w, 3], values in [0, 1]
  std::vector<Point> points;  ///< centres of the nuclei, all inside
};

namespace detail {

/// Optical densities of two stains at each pixel; Beer and Lambert's law makes the colours.
struct StainMaps {
  Map haematoxylin, eosin;
};

struct Ellipse {
  Point centre;
  double a, b, cosine, sine;
  double dent = 0, phase = 0;  // an outline that is not quite an ellipse

  /// 1 on the outline, less inside.
  double level(double x, double y) const {
    const double dx = x - centre.x, dy = y - centre.y;
    const double u = (dx * cosine + dy * sine) / a, v = (dy * cosine - dx * sine) / b;
    return std::sqrt(u * u + v * v) * (1 + dent * std::sin(3 * std::atan2(v, u) + phase));
  }
};

/// Calls body(row, column, level) for the pixels within `reach` times the ellipse.
template <class Body>
void for_pixels(const Ellipse& e, double reach, Index height, Index width, Body&& body) {
  const double r = reach * std::max(e.a, e.b);
  const Index y0 = std::max<Index>(0, static_cast<Index>(e.centre.y - r)),
              y1 = std::min(height - 1, static_cast<Index>(e.centre.y + r) + 1);
  const Index x0 = std::max<Index>(0, static_cast<Index>(e.centre.x - r)),
              x1 = std::min(width - 1, static_cast<Index>(e.centre.x + r) + 1);
  for (Index y = y0; y <= y1; ++y)
    for (Index x = x0; x <= x1; ++x)
      if (const double level = e.level(static_cast<double>(x), static_cast<double>(y)); level < reach)
        body(static_cast<std::size_t>(y), static_cast<std::size_t>(x), level);
}

inline Ellipse random_ellipse(Point centre, double radius, RandomStream& random) {
  const double size = radius * std::exp(0.22 * random.normal()), stretch = std::exp(std::abs(0.28 * random.normal())),
               angle = random.uniform(0, 3.14159265358979);
  return {centre,          size * std::sqrt(stretch), size / std::sqrt(stretch),  std::cos(angle),
          std::sin(angle), random.uniform(0, 0.07),   random.uniform(0, 6.283185)};
}

/// 1 inside, 0 outside, with a soft border of relative width w.
inline double soft_inside(double level, double w) { return std::clamp((1 - level) / w + 0.5, 0.0, 1.0); }

/// Eosin in fibres and clouds, with white gaps.
inline void paint_stroma(const SyntheticTissue& t, StainMaps& maps, RandomStream& random) {
  const ValueNoise clouds(random, 48), fibres(random, 12), gaps(random, 90);
  const double angle = random.uniform(0, 3.14159), base = random.uniform(0.22, 0.36),
               gap_level = random.uniform(0.22, 0.3);
  for (std::size_t y = 0; y < static_cast<std::size_t>(t.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(t.width); ++x) {
      const double px = static_cast<double>(x), py = static_cast<double>(y);
      const double along = px * std::cos(angle) + py * std::sin(angle),
                   across = py * std::cos(angle) - px * std::sin(angle);
      const double wave = clouds(px, py), fibre = fibres(0.2 * along, across + 10 * wave);
      const double texture = 0.5 * wave + 0.5 * std::clamp(2.4 * fibre - 0.7, 0.0, 1.0);
      const double open = std::clamp((gaps(px, py) - gap_level) / 0.06, 0.0, 1.0);  // 0 in a gap
      maps.eosin(y, x) = static_cast<float>(open * base * (0.3 + 1.4 * texture));
      maps.haematoxylin(y, x) = static_cast<float>(open * 0.05 * (0.5 + clouds(py, px)));
    }
}

/// A nucleus: chromatin in clumps, a darker rim, a soft border; pale ones are out of focus.
inline void paint_nucleus(const Ellipse& e, const ValueNoise& chromatin, RandomStream& random, StainMaps& maps,
                          Index height, Index width) {
  const bool pale = random.chance(0.12);
  const double stain = (pale ? 0.45 : 1.0) * random.uniform(0.55, 1.05),
               border = pale ? 0.5 : random.uniform(0.12, 0.25);
  const double shift = random.uniform(0, 1000), clumps = random.uniform(0.5, 1.3);
  for_pixels(e, 1.4, height, width, [&](std::size_t y, std::size_t x, double level) {
    const double inside = soft_inside(level, border);
    if (inside <= 0) return;
    const double rim = 0.35 * std::exp(-18 * (level - 0.85) * (level - 0.85));
    const double texture = 1 + clumps * (chromatin(static_cast<double>(x) + shift, static_cast<double>(y)) - 0.5);
    const double density = stain * (0.75 * texture + rim);
    float& h = maps.haematoxylin(y, x);
    h = std::max(h, static_cast<float>(inside * density));  // overlapping nuclei do not darken without end
    maps.eosin(y, x) = static_cast<float>(static_cast<double>(maps.eosin(y, x)) * (1 - 0.5 * inside));
  });
}

/// What a detector must not take for a nucleus: red cells, which have eosin alone, and dark specks.
inline void paint_distractors(const SyntheticTissue& t, StainMaps& maps, RandomStream& random) {
  const double area = static_cast<double>(t.height * t.width) * 1e-6;
  const auto anywhere = [&] {
    return Point{random.uniform(0, static_cast<double>(t.width)), random.uniform(0, static_cast<double>(t.height))};
  };
  for (int i = static_cast<int>(area * random.uniform(50, 300)); i > 0; --i)
    for_pixels(random_ellipse(anywhere(), 0.75 * t.radius, random), 1.2, t.height, t.width,
               [&](std::size_t y, std::size_t x, double level) {
                 float& e = maps.eosin(y, x);
                 e = std::max(e, static_cast<float>(0.75 * soft_inside(level, 0.2) * (0.8 + 0.2 * level)));
               });
  for (int i = static_cast<int>(area * random.uniform(20, 80)); i > 0; --i)
    for_pixels(random_ellipse(anywhere(), random.uniform(1.0, 2.2), random), 1.3, t.height, t.width,
               [&](std::size_t y, std::size_t x, double level) {
                 maps.haematoxylin(y, x) += static_cast<float>(0.8 * soft_inside(level, 0.4));
                 maps.eosin(y, x) += static_cast<float>(0.5 * soft_inside(level, 0.4));
               });
}

/// Places nuclei where there is stroma, now and then as a touching neighbour of the one before. Centres keep a
/// distance, so that each can be told.
inline std::vector<Ellipse> place_nuclei(const SyntheticTissue& t, const Map& stroma, RandomStream& random) {
  std::vector<Ellipse> placed;
  const double wanted = t.density * static_cast<double>(t.height * t.width) * 1e-6;
  const double w = static_cast<double>(t.width) - 1, h = static_cast<double>(t.height) - 1;
  for (int tries = static_cast<int>(wanted * 20); tries > 0 && static_cast<double>(placed.size()) < wanted; --tries) {
    Point p{random.uniform(0, w), random.uniform(0, h)};
    const bool touching = !placed.empty() && random.chance(0.3);
    if (touching) {
      const Ellipse& near = placed.back();
      const double angle = random.uniform(0, 6.283185), distance = random.uniform(1.2, 1.7) * std::max(near.a, near.b);
      p = {near.centre.x + distance * std::cos(angle), near.centre.y + distance * std::sin(angle)};
    }
    const Ellipse e = random_ellipse(p, t.radius, random);
    const bool inside = p.x >= 0 && p.y >= 0 && p.x <= w && p.y <= h &&
                        stroma(static_cast<std::size_t>(p.y), static_cast<std::size_t>(p.x)) > 0.05f;
    const bool free = std::none_of(placed.begin(), placed.end(), [&](const Ellipse& o) {
      const double apart = (touching ? 0.62 : 0.95) * (std::max(e.a, e.b) + std::max(o.a, o.b));
      return squared_distance(o.centre, p) < apart * apart;
    });
    if (inside && free) placed.push_back(e);
  }
  return placed;
}

/// Colours from the stains, with a balance of their own for each image, and the sensor's noise.
inline Image develop(const SyntheticTissue& t, const StainMaps& maps, RandomStream& random) {
  Image image = make_image(t.height, t.width, 3);
  const double strength_h = random.uniform(1.1, 1.7), strength_e = random.uniform(0.9, 1.5),
               light = random.uniform(0.93, 0.99);
  std::array<double, 3> h{0.650, 0.704, 0.286}, e{0.092, 0.954, 0.283};
  for (double& v : h) v *= 1 + 0.06 * random.normal();
  for (double& v : e) v *= 1 + 0.06 * random.normal();
  for (std::size_t y = 0; y < static_cast<std::size_t>(t.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(t.width); ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const double density = strength_h * h[c] * static_cast<double>(maps.haematoxylin(y, x)) +
                               strength_e * e[c] * static_cast<double>(maps.eosin(y, x));
        const double noise = 0.012 * (random.uniform() + random.uniform() - 1) * 2;
        image(y, x, c) = static_cast<float>(std::clamp(light * std::exp(-density) + noise, 0.0, 1.0));
      }
  return image;
}

/// A 3 x 3 binomial blur: the microscope's.
inline void blur(Map& map) {
  const std::size_t h = map.shape(0), w = map.shape(1);
  for (int pass = 0; pass < 2; ++pass) {
    const std::size_t lines = pass == 0 ? h : w, length = pass == 0 ? w : h;
    for (std::size_t l = 0; l < lines; ++l) {
      const auto at = [&](std::size_t i) -> float& { return pass == 0 ? map(l, i) : map(i, l); };
      float before = at(0);
      for (std::size_t i = 0; i < length; ++i) {
        const float here = at(i), after = i + 1 < length ? at(i + 1) : here;
        at(i) = 0.25f * before + 0.5f * here + 0.25f * after;
        before = here;
      }
    }
  }
}

}  // namespace detail

/// Makes one image. The same settings give the same bits. Throws ArgumentError.
inline SyntheticImage synthesize(const SyntheticTissue& settings) {
  settings.check();
  RandomStream random{settings.seed, 0x7155};
  detail::StainMaps maps{make_map(settings.height, settings.width), make_map(settings.height, settings.width)};
  detail::paint_stroma(settings, maps, random);
  detail::paint_distractors(settings, maps, random);
  const ValueNoise chromatin(random, 5);
  SyntheticImage result;
  for (const detail::Ellipse& e : detail::place_nuclei(settings, maps.eosin, random)) {
    detail::paint_nucleus(e, chromatin, random, maps, settings.height, settings.width);
    result.points.push_back(e.centre);
  }
  detail::blur(maps.haematoxylin), detail::blur(maps.eosin);
  result.image = detail::develop(settings, maps, random);
  return result;
}

}  // namespace nucdet::data

#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "nucdet/core/config.hpp"
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

  void check() const;
};

struct SyntheticImage {
  Image image;                ///< [h, w, 3], values in [0, 1]
  std::vector<Point> points;  ///< centres of the nuclei, all inside
};

/// Makes one image. The same settings give the same bits. Throws ArgumentError.
SyntheticImage synthesize(const SyntheticTissue& settings);

#ifdef NUCDET_INLINE

namespace detail {

inline constexpr double kTurn = 6.283185307179586;

/// Optical densities of two stains at each pixel; Beer and Lambert's law makes the colours.
struct StainMaps {
  Plane haematoxylin, eosin;
};

struct Ellipse {
  Point centre;
  double a, b, cosine, sine;
  double dent = 0, phase = 0;  // an outline that is not quite an ellipse

  /// 1 on the outline, less inside. The dents leave the centroid where it is.
  double level(double x, double y) const {
    const double dx = x - centre.x, dy = y - centre.y;
    const double u = (dx * cosine + dy * sine) / a, v = (dy * cosine - dx * sine) / b, angle = std::atan2(v, u);
    return std::sqrt(u * u + v * v) * (1 + dent * (std::sin(3 * angle + phase) + 0.6 * std::sin(5 * angle - phase)));
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

/// A normal number of deviation `spread`, cut at twice that: no nucleus is of another order of size.
inline double bounded(double spread, RandomStream& random) { return spread * std::clamp(random.normal(), -2.0, 2.0); }

/// The longer half axis is at most kLongest times the radius.
inline Ellipse random_ellipse(Point centre, double radius, double elongation, double angle, RandomStream& random) {
  const double size = radius * std::exp(bounded(0.22, random)), stretch = elongation * std::exp(bounded(0.2, random));
  return {centre,          size * std::sqrt(stretch), size / std::sqrt(stretch), std::cos(angle),
          std::sin(angle), random.uniform(0, 0.06),   random.uniform(0, kTurn)};
}
inline constexpr double kLongest = 3.0;

/// 1 inside, 0 outside, with a soft border of relative width w.
inline double soft_inside(double level, double w) { return std::clamp((1 - level) / w + 0.5, 0.0, 1.0); }

/// Value noise keeps to the middle of its range; this spreads it.
inline double contrast(double noise, double gain) { return std::clamp(0.5 + gain * (noise - 0.5), 0.0, 1.0); }

/// Eosin in fibres, clouds and grains, with white gaps and thin clefts along the fibres.
inline void paint_stroma(const SyntheticTissue& t, double angle, StainMaps& maps, RandomStream& random) {
  const ValueNoise clouds(random, 48), fibres(random, 9), grains(random, 3.5), gaps(random, 90);
  const double base = random.uniform(0.34, 0.52), gap_level = random.uniform(0.2, 0.32),
               cleft = random.uniform(0, 0.07), graininess = random.uniform(0.3, 0.8), cosine = std::cos(angle),
               sine = std::sin(angle);
  for (std::size_t y = 0; y < static_cast<std::size_t>(t.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(t.width); ++x) {
      const double px = static_cast<double>(x), py = static_cast<double>(y);
      const double cloud = clouds(px, py), bend = 30 * cloud;
      const double fibre = fibres(0.2 * (px * cosine + py * sine), py * cosine - px * sine + bend);
      const double gap = gaps(px, py), ridge = std::abs(fibre - 0.5) / (0.001 + cleft * contrast(1 - gap, 3));
      const double open = std::clamp((gap - gap_level) / 0.05, 0.0, 1.0) * std::min(1.0, 0.25 + 0.75 * ridge);
      const double texture = 0.3 + 0.5 * contrast(cloud, 2) + 0.6 * contrast(fibre, 2.2);
      const double grain = 1 + graininess * (contrast(grains(px, py), 1.6) - 0.5);
      maps.eosin(y, x) = static_cast<float>(open * base * texture * grain);
      maps.haematoxylin(y, x) = static_cast<float>(open * 0.12 * contrast(gaps(py, px), 2) * grain);
    }
}

/// A nucleus: chromatin in clumps, a darker rim, a soft border. Some are dense, some pale inside, some out of focus.
inline void paint_nucleus(const Ellipse& e, const ValueNoise& chromatin, RandomStream& random, StainMaps& maps,
                          Index height, Index width) {
  const double dense = random.uniform(), focus = random.chance(0.1) ? 0.5 : random.uniform(0.8, 1);
  const double stain = focus * random.uniform(0.75, 1.15), body = 0.45 + 0.5 * dense, rim = 0.5 - 0.35 * dense;
  const double clumps = focus * (0.9 - 0.5 * dense), border = 0.65 - 0.45 * focus, shift = random.uniform(0, 1000);
  for_pixels(e, 1.4, height, width, [&](std::size_t y, std::size_t x, double level) {
    const double inside = soft_inside(level, border);
    if (inside <= 0) return;
    const double edge = rim * std::exp(-20 * (level - 0.85) * (level - 0.85));
    const double clump = contrast(chromatin(static_cast<double>(x) + shift, static_cast<double>(y)), 2.5) - 0.4;
    const double density = stain * std::max(0.2, body + edge + clumps * clump);
    float& h = maps.haematoxylin(y, x);
    h = std::max(h, static_cast<float>(inside * density));  // overlapping nuclei do not darken without end
    maps.eosin(y, x) *= static_cast<float>(1 - 0.4 * inside);
  });
}

/// What a detector must not take for a nucleus: red cells, which have eosin alone, and dark specks.
inline void paint_distractors(const SyntheticTissue& t, StainMaps& maps, RandomStream& random) {
  const double area = static_cast<double>(t.height * t.width) * 1e-6;
  const auto anywhere = [&](double radius) {
    const Point p{random.uniform(0, static_cast<double>(t.width)), random.uniform(0, static_cast<double>(t.height))};
    return random_ellipse(p, radius, 1, random.uniform(0, kTurn), random);
  };
  for (int i = static_cast<int>(area * random.uniform(30, 200)); i > 0; --i)
    for_pixels(anywhere(0.65 * t.radius), 1.2, t.height, t.width, [&](std::size_t y, std::size_t x, double level) {
      float& e = maps.eosin(y, x);
      e = std::max(e, static_cast<float>(0.7 * soft_inside(level, 0.3) * (0.7 + 0.3 * level)));
    });
  for (int i = static_cast<int>(area * random.uniform(20, 80)); i > 0; --i)
    for_pixels(anywhere(random.uniform(1.0, 2.2)), 1.3, t.height, t.width,
               [&](std::size_t y, std::size_t x, double level) {
                 maps.haematoxylin(y, x) += static_cast<float>(0.8 * soft_inside(level, 0.4));
                 maps.eosin(y, x) += static_cast<float>(0.5 * soft_inside(level, 0.4));
               });
}

/// The nuclei placed so far, in cells so large that a nucleus meets only those of its own and the next cells.
class Placed {
 public:
  explicit Placed(const SyntheticTissue& t)
      : size_(2 * kLongest * t.radius),
        columns_(cell(static_cast<double>(t.width)) + 1),
        cells_(columns_ * (cell(static_cast<double>(t.height)) + 1)) {}

  /// True if no nucleus is nearer than `share` of the two longer half axes together.
  bool free(const Ellipse& e, double share) const {
    const std::size_t cx = cell(e.centre.x), cy = cell(e.centre.y), rows = cells_.size() / columns_;
    for (std::size_t y = cy - std::min<std::size_t>(cy, 1); y <= std::min(cy + 1, rows - 1); ++y)
      for (std::size_t x = cx - std::min<std::size_t>(cx, 1); x <= std::min(cx + 1, columns_ - 1); ++x)
        for (const std::size_t i : cells_[y * columns_ + x]) {
          const double apart = share * (std::max(e.a, e.b) + std::max(all_[i].a, all_[i].b));
          if (squared_distance(all_[i].centre, e.centre) < apart * apart) return false;
        }
    return true;
  }
  void add(const Ellipse& e) {
    cells_[cell(e.centre.y) * columns_ + cell(e.centre.x)].push_back(all_.size());
    all_.push_back(e);
  }
  const std::vector<Ellipse>& all() const { return all_; }

 private:
  std::size_t cell(double x) const { return static_cast<std::size_t>(x / size_); }

  double size_;
  std::size_t columns_;
  std::vector<std::vector<std::size_t>> cells_;
  std::vector<Ellipse> all_;
};

/// Places nuclei in crowds where there is stroma, now and then as a touching neighbour of the one before; a part are
/// spindles along the fibres. Centres keep a distance, so that each can be told.
inline std::vector<Ellipse> place_nuclei(const SyntheticTissue& t, double fibres, const Plane& stroma,
                                         RandomStream& random) {
  const ValueNoise crowds(random, 70);
  Placed placed(t);
  const double wanted = std::round(t.density * static_cast<double>(t.height * t.width) * 1e-6);
  const double w = static_cast<double>(t.width) - 1, h = static_cast<double>(t.height) - 1;
  const double spindles = random.uniform(0.05, 0.35);
  for (double tries = wanted * 60; tries > 0 && static_cast<double>(placed.all().size()) < wanted; --tries) {
    Point p{random.uniform(0, w), random.uniform(0, h)};
    const bool touching = !placed.all().empty() && random.chance(0.3);
    if (touching) {
      const Ellipse& near = placed.all().back();
      const double angle = random.uniform(0, kTurn), distance = random.uniform(1.2, 1.7) * std::max(near.a, near.b);
      p = {near.centre.x + distance * std::cos(angle), near.centre.y + distance * std::sin(angle)};
    }
    if (!(p.x >= 0 && p.y >= 0 && p.x <= w && p.y <= h)) continue;
    if (stroma(static_cast<std::size_t>(p.y), static_cast<std::size_t>(p.x)) < 0.05f) continue;
    if (!random.chance(0.15 + contrast(crowds(p.x, p.y), 3))) continue;
    const bool spindle = random.chance(spindles);
    const Ellipse e = spindle ? random_ellipse(p, 0.85 * t.radius, 2.4, fibres + bounded(0.2, random), random)
                              : random_ellipse(p, t.radius, 1.2, random.uniform(0, kTurn), random);
    if (placed.free(e, touching ? 0.62 : 0.95)) placed.add(e);
  }
  return placed.all();
}

/// Colours from the stains, with a balance of their own for each image, and the sensor's noise.
inline Image develop(const SyntheticTissue& t, const StainMaps& maps, RandomStream& random) {
  Image image = make_image(t.height, t.width, 3);
  const double strength_h = random.uniform(1.1, 1.7), strength_e = random.uniform(0.8, 1.3),
               light = random.uniform(0.9, 0.98);
  const std::array<double, 3> h{random.uniform(0.6, 0.68), random.uniform(0.7, 0.8), random.uniform(0.28, 0.42)},
      e{random.uniform(0.05, 0.16), random.uniform(0.85, 0.98), random.uniform(0.28, 0.55)};
  for (std::size_t y = 0; y < static_cast<std::size_t>(t.height); ++y)
    for (std::size_t x = 0; x < static_cast<std::size_t>(t.width); ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const double density = strength_h * h[c] * static_cast<double>(maps.haematoxylin(y, x)) +
                               strength_e * e[c] * static_cast<double>(maps.eosin(y, x));
        const double noise = 0.024 * (random.uniform() + random.uniform() - 1);
        image(y, x, c) = static_cast<float>(std::clamp(light * std::exp(-density) + noise, 0.0, 1.0));
      }
  return image;
}

/// A 3 x 3 binomial blur: the microscope's.
inline void blur(Plane& map) {
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

NUCDET_INLINE void SyntheticTissue::check() const {
  if (height < 32 || width < 32 || height > 32768 || width > 32768)
    throw ArgumentError(message("SyntheticTissue: ", width, 'x', height, " pixels, each side must be in [32, 32768]"));
  if (!(density >= 0 && density <= 10000))
    throw ArgumentError(message("SyntheticTissue: density is ", density, ", must be in [0, 10000]"));
  if (!(radius >= 3 && radius <= 40))
    throw ArgumentError(message("SyntheticTissue: radius is ", radius, ", must be in [3, 40]"));
}

NUCDET_INLINE SyntheticImage synthesize(const SyntheticTissue& settings) {
  settings.check();
  RandomStream random{settings.seed, 0x7155};
  const double fibres = random.uniform(0, detail::kTurn);
  detail::StainMaps maps{make_plane(settings.height, settings.width), make_plane(settings.height, settings.width)};
  detail::paint_stroma(settings, fibres, maps, random);
  detail::paint_distractors(settings, maps, random);
  const ValueNoise chromatin(random, 4);
  SyntheticImage result;
  for (const detail::Ellipse& e : detail::place_nuclei(settings, fibres, maps.eosin, random)) {
    detail::paint_nucleus(e, chromatin, random, maps, settings.height, settings.width);
    result.points.push_back(e.centre);
  }
  detail::blur(maps.haematoxylin), detail::blur(maps.eosin);
  result.image = detail::develop(settings, maps, random);
  return result;
}

#endif

}  // namespace nucdet::data

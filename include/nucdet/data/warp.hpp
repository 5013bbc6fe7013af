#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/data/pad.hpp"

namespace nucdet::data {

/// A smooth random displacement of the plane: a uniform cubic B-spline over a coarse grid of random vectors.
class ElasticField {
 public:
  ElasticField() = default;
  /// Displacements of about `amplitude` pixels on a grid of `spacing` pixels, over [0, size) squared.
  ElasticField(Index size, double amplitude, Index spacing, RandomStream& random)
      : spacing_(spacing),
        nodes_(size / spacing + 4),
        amplitude_(amplitude),
        dx_(static_cast<std::size_t>(nodes_ * nodes_)),
        dy_(dx_.size()) {
    for (Index i = 0; i < nodes_ * nodes_; ++i) {
      dx_[static_cast<std::size_t>(i)] = random.uniform(-amplitude, amplitude);
      dy_[static_cast<std::size_t>(i)] = random.uniform(-amplitude, amplitude);
    }
  }
  bool active() const { return spacing_ > 0; }
  /// No displacement is larger along an axis: it is a weighted mean of the random vectors.
  double amplitude() const { return amplitude_; }

  /// The displacement at any position; constant beyond the grid.
  Point at(double x, double y) const {
    if (!active()) return {};
    const Cell cx = cell(x), cy = cell(y);
    Point sum;
    for (Index j = 0; j < 4; ++j)
      for (Index i = 0; i < 4; ++i) {
        const std::size_t node = static_cast<std::size_t>((cy.first + j) * nodes_ + cx.first + i);
        const double weight = cy.weight[static_cast<std::size_t>(j)] * cx.weight[static_cast<std::size_t>(i)];
        sum.x += weight * dx_[node], sum.y += weight * dy_[node];
      }
    return sum;
  }

 private:
  struct Cell {
    Index first;
    std::array<double, 4> weight;
  };
  Cell cell(double x) const {
    const double last = static_cast<double>(nodes_ - 3) - 1e-9,
                 u = std::clamp(x / static_cast<double>(spacing_), 0.0, last);
    const double t = u - std::floor(u), s = 1 - t;
    return {static_cast<Index>(u),
            {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6}};
  }

  Index spacing_ = 0, nodes_ = 0;
  double amplitude_ = 0;
  std::vector<double> dx_, dy_;
};

/// Where each pixel of a crop comes from: source = centre + A (u - middle) + elastic(u), A a rotation with scale and
/// mirror. Beyond the image, pixels and points are reflected alike.
struct Warp {
  Index size = 0;  ///< of the crop, pixels
  Point centre;    ///< of the crop, in the image
  double a = 1, b = 0, c = 0, d = 1;
  ElasticField elastic;

  double middle() const { return 0.5 * static_cast<double>(size - 1); }

  Point source_of(Point u) const {
    const double x = u.x - middle(), y = u.y - middle();
    const Point e = elastic.at(u.x, u.y);
    return {centre.x + a * x + b * y + e.x, centre.y + c * x + d * y + e.y};
  }

  /// The place in the crop that shows image position p: the affine part is inverted, the elastic part found by
  /// iteration (it moves by less than its displacement, so that it converges).
  Point crop_of(Point p) const {
    const double determinant = a * d - b * c;
    Point u{middle(), middle()}, e = elastic.at(u.x, u.y);
    for (int k = 0; k < 20; ++k) {
      const double x = p.x - centre.x - e.x, y = p.y - centre.y - e.y;
      u = {middle() + (d * x - b * y) / determinant, middle() + (a * y - c * x) / determinant};
      e = elastic.at(u.x, u.y);
    }
    return u;
  }
};

/// Samples the crop from an image of any number of channels, bilinearly.
inline void warp_image(const Warp& warp, View<const float> image, View<float> crop) {
  const double w = static_cast<double>(image.shape.w), h = static_cast<double>(image.shape.h);
  const Index channels = image.shape.c;
  for (Index v = 0; v < warp.size; ++v)
    for (Index u = 0; u < warp.size; ++u) {
      const Point p = warp.source_of({static_cast<double>(u), static_cast<double>(v)});
      const double x = std::clamp(reflect(p.x, w), 0.0, w - 1), y = std::clamp(reflect(p.y, h), 0.0, h - 1);
      const Index x0 = static_cast<Index>(x), y0 = static_cast<Index>(y);
      const Index x1 = std::min(x0 + 1, image.shape.w - 1), y1 = std::min(y0 + 1, image.shape.h - 1);
      const float fx = static_cast<float>(x - static_cast<double>(x0)),
                  fy = static_cast<float>(y - static_cast<double>(y0));
      const float *p00 = image.pixel(0, y0, x0), *p01 = image.pixel(0, y0, x1), *p10 = image.pixel(0, y1, x0),
                  *p11 = image.pixel(0, y1, x1);
      float* out = crop.pixel(0, v, u);
      for (Index k = 0; k < channels; ++k) {
        const float top = p00[k] + fx * (p01[k] - p00[k]), bottom = p10[k] + fx * (p11[k] - p10[k]);
        out[k] = top + fy * (bottom - top);
      }
    }
}

/// The image's points as the crop shows them, with the mirrored copies that reflection makes, up to `margin` pixels
/// outside.
inline std::vector<Point> warp_points(const Warp& warp, const std::vector<Point>& points, Index width, Index height,
                                      double margin) {
  const double w = static_cast<double>(width), h = static_cast<double>(height),
               edge = static_cast<double>(warp.size) - 1 + margin;
  // The mirrored copies that the crop, its margin and the elastic part can reach.
  const double scale = std::max(std::hypot(warp.a, warp.c), std::hypot(warp.b, warp.d));
  const double reach = scale * (0.75 * static_cast<double>(warp.size) + 1.5 * margin) + warp.elastic.amplitude() + 1;
  const auto copy_at = [](double x, double size) { return static_cast<Index>(std::floor((x + 0.5) / size)); };
  std::vector<Point> shown;
  for (Index my = copy_at(warp.centre.y - reach, h); my <= copy_at(warp.centre.y + reach, h); ++my)
    for (Index mx = copy_at(warp.centre.x - reach, w); mx <= copy_at(warp.centre.x + reach, w); ++mx)
      for (const Point& p : points) {
        const Point copy{mirrored(p.x, mx, w), mirrored(p.y, my, h)};
        if (std::abs(copy.x - warp.centre.x) > reach || std::abs(copy.y - warp.centre.y) > reach) continue;
        const Point u = warp.crop_of(copy);
        if (u.x >= -margin && u.y >= -margin && u.x <= edge && u.y <= edge) shown.push_back(u);
      }
  return shown;
}

}  // namespace nucdet::data

#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/data/pad.hpp"

namespace nucdet::data {

/// A smooth displacement of the plane: a uniform cubic B-spline over a coarse grid of vectors, which lie elsewhere.
struct ElasticView {
  Index spacing = 0, nodes = 0;  ///< pixels between nodes, nodes along a side; spacing 0: no displacement
  const double *dx = nullptr, *dy = nullptr;

  /// The displacement at any position; constant beyond the grid.
  NUCDET_HD Point at(double x, double y) const {
    Point sum;
    if (spacing == 0) return sum;
    const Cell cx = cell(x), cy = cell(y);
    for (Index j = 0; j < 4; ++j)
      for (Index i = 0; i < 4; ++i) {
        const Index node = (cy.first + j) * nodes + cx.first + i;
        const double weight = cy.weight[j] * cx.weight[i];
        sum.x += weight * dx[node], sum.y += weight * dy[node];
      }
    return sum;
  }

 private:
  struct Cell {
    Index first;
    double weight[4];
  };
  NUCDET_HD Cell cell(double x) const {
    const double last = static_cast<double>(nodes - 3) - 1e-9, raw = x / static_cast<double>(spacing);
    const double u = raw < 0 ? 0.0 : last < raw ? last : raw;
    const double t = u - std::floor(u), s = 1 - t;
    return {static_cast<Index>(u),
            {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6}};
  }
};

/// A random one.
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
  ElasticView view() const { return {spacing_, nodes_, dx_.data(), dy_.data()}; }
  Point at(double x, double y) const { return view().at(x, y); }
  const std::vector<double>& dx() const { return dx_; }
  const std::vector<double>& dy() const { return dy_; }

 private:
  Index spacing_ = 0, nodes_ = 0;
  double amplitude_ = 0;
  std::vector<double> dx_, dy_;
};

/// Where a pixel u of a crop comes from: source = centre + A (u - middle) + elastic(u), A a rotation with scale and
/// mirror.
struct WarpView {
  Point centre;
  double middle = 0;
  double a = 1, b = 0, c = 0, d = 1;
  ElasticView elastic;

  NUCDET_HD Point source_of(Point u) const {
    const double x = u.x - middle, y = u.y - middle;
    const Point e = elastic.at(u.x, u.y);
    return {centre.x + a * x + b * y + e.x, centre.y + c * x + d * y + e.y};
  }
};

/// The same with its elastic field, drawn for one crop. Beyond the image, pixels and points are reflected alike.
struct Warp {
  Index size = 0;  ///< of the crop, pixels
  Point centre;    ///< of the crop, in the image
  double a = 1, b = 0, c = 0, d = 1;
  ElasticField elastic;

  double middle() const { return 0.5 * static_cast<double>(size - 1); }
  WarpView view() const { return {centre, middle(), a, b, c, d, elastic.view()}; }
  Point source_of(Point u) const { return view().source_of(u); }

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

/// out = the image at a position between pixels, bilinearly, reflected beyond the border; one number a channel.
NUCDET_HD inline void sample_bilinear(const View<const float>& image, Point p, float* out) {
  const double w = static_cast<double>(image.shape.w), h = static_cast<double>(image.shape.h);
  const double rx = reflect(p.x, w), ry = reflect(p.y, h);
  const double x = rx < 0 ? 0.0 : rx > w - 1 ? w - 1 : rx, y = ry < 0 ? 0.0 : ry > h - 1 ? h - 1 : ry;
  const Index x0 = static_cast<Index>(x), y0 = static_cast<Index>(y);
  const Index x1 = x0 + 1 < image.shape.w ? x0 + 1 : x0, y1 = y0 + 1 < image.shape.h ? y0 + 1 : y0;
  const float fx = static_cast<float>(x - static_cast<double>(x0)),
              fy = static_cast<float>(y - static_cast<double>(y0));
  const float *p00 = image.pixel(0, y0, x0), *p01 = image.pixel(0, y0, x1), *p10 = image.pixel(0, y1, x0),
              *p11 = image.pixel(0, y1, x1);
  for (Index k = 0; k < image.shape.c; ++k) {
    const float top = p00[k] + fx * (p01[k] - p00[k]), bottom = p10[k] + fx * (p11[k] - p10[k]);
    out[k] = top + fy * (bottom - top);
  }
}

/// Samples the crop from an image of any number of channels.
inline void warp_image(const Warp& warp, View<const float> image, View<float> crop) {
  const WarpView view = warp.view();
  for (Index v = 0; v < warp.size; ++v)
    for (Index u = 0; u < warp.size; ++u)
      sample_bilinear(image, view.source_of({static_cast<double>(u), static_cast<double>(v)}), crop.pixel(0, v, u));
}

/// Calls show(place in the crop, number of the point) for the image's points as the crop shows them, with the mirrored
/// copies that reflection makes, up to `margin` pixels outside.
template <class Show>
void visit_shown(const Warp& warp, const std::vector<Point>& points, Index width, Index height, double margin,
                 const Show& show) {
  const double w = static_cast<double>(width), h = static_cast<double>(height),
               edge = static_cast<double>(warp.size) - 1 + margin;
  // The mirrored copies that the crop, its margin and the elastic part can reach.
  const double scale = std::max(std::hypot(warp.a, warp.c), std::hypot(warp.b, warp.d));
  const double reach = scale * (0.75 * static_cast<double>(warp.size) + 1.5 * margin) + warp.elastic.amplitude() + 1;
  const auto copy_at = [](double x, double size) { return static_cast<Index>(std::floor((x + 0.5) / size)); };
  for (Index my = copy_at(warp.centre.y - reach, h); my <= copy_at(warp.centre.y + reach, h); ++my)
    for (Index mx = copy_at(warp.centre.x - reach, w); mx <= copy_at(warp.centre.x + reach, w); ++mx)
      for (std::size_t i = 0; i < points.size(); ++i) {
        const Point copy{mirrored(points[i].x, mx, w), mirrored(points[i].y, my, h)};
        if (std::abs(copy.x - warp.centre.x) > reach || std::abs(copy.y - warp.centre.y) > reach) continue;
        const Point u = warp.crop_of(copy);
        if (u.x >= -margin && u.y >= -margin && u.x <= edge && u.y <= edge) show(u, i);
      }
}

/// These points alone.
std::vector<Point> warp_points(const Warp& warp, const std::vector<Point>& points, Index width, Index height,
                               double margin);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<Point> warp_points(const Warp& warp, const std::vector<Point>& points, Index width,
                                             Index height, double margin) {
  std::vector<Point> shown;
  visit_shown(warp, points, width, height, margin, [&](Point p, std::size_t) { shown.push_back(p); });
  return shown;
}

#endif

}  // namespace nucdet::data

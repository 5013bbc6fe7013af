#pragma once
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/data/image.hpp"

#include "stroke_font.hpp"

/// Anti-aliased lines and letters on images.
namespace nucdet::io::detail {

struct Colour {
  float r, g, b;
};

inline constexpr Colour kEdge{0.05f, 0.03f, 0.12f}, kLegendGround{0.10f, 0.09f, 0.13f},
    kLegendText{0.96f, 0.96f, 0.98f};

struct Segment {
  Point a, b;
};

inline double distance_to(const Segment& s, Point p) {
  const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = dx * dx + dy * dy;
  const double along = length > 0 ? std::clamp(((p.x - s.a.x) * dx + (p.y - s.a.y) * dy) / length, 0.0, 1.0) : 0.0;
  return std::sqrt(squared_distance(p, {s.a.x + along * dx, s.a.y + along * dy}));
}

/// A ring (radius above 0) and line segments: the outlines that all marks and letters are made of.
struct Strokes {
  Point centre;
  double radius = 0;
  std::vector<Segment> segments;

  void polygon(std::initializer_list<Point> corners) {
    for (const Point* p = corners.begin(); p != corners.end(); ++p)
      segments.push_back({*p, p + 1 == corners.end() ? *corners.begin() : p[1]});
  }
  double distance(Point p) const {
    double least = radius > 0 ? std::abs(std::sqrt(squared_distance(p, centre)) - radius)
                              : std::numeric_limits<double>::infinity();
    for (const Segment& s : segments) least = std::min(least, distance_to(s, p));
    return least;
  }
};

struct Box {
  double left, top, right, bottom;
  void add(Point p) {
    left = std::min(left, p.x), right = std::max(right, p.x), top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
};

inline Box box_of(const Strokes& outline) {
  constexpr double far = std::numeric_limits<double>::infinity();
  Box box{far, far, -far, -far};
  if (outline.radius > 0) {
    box.add({outline.centre.x - outline.radius, outline.centre.y - outline.radius});
    box.add({outline.centre.x + outline.radius, outline.centre.y + outline.radius});
  }
  for (const Segment& s : outline.segments) box.add(s.a), box.add(s.b);
  return box;
}

/// Rows [0, bottom) of an RGB image.
class Brush {
 public:
  Brush(Image& image, Index bottom) : image_(image), bottom_(bottom) {}

  /// Lines of `width` pixels; a pixel is covered by as much of it as lies within half a width of the outline.
  void stroke(const Strokes& outline, double width, Colour colour, double opacity = 1) {
    const Box box = box_of(outline);
    const double reach = width / 2 + 0.5;
    const Index x0 = clip(box.left - reach, columns()), x1 = clip(box.right + reach + 1, columns());
    const Index y0 = clip(box.top - reach, bottom_), y1 = clip(box.bottom + reach + 1, bottom_);
    for (Index y = y0; y < y1; ++y)
      for (Index x = x0; x < x1; ++x) {
        const double distance = outline.distance({static_cast<double>(x), static_cast<double>(y)});
        const double cover = std::clamp(reach - distance, 0.0, 1.0) * opacity;
        if (cover > 0) blend(y, x, colour, static_cast<float>(cover));
      }
  }
  /// A bright line on a dark edge.
  void edged(const Strokes& outline, double width, Colour colour) {
    stroke(outline, width + 2, kEdge, 0.8);
    stroke(outline, width, colour);
  }

 private:
  Index columns() const { return static_cast<Index>(image_.shape(1)); }
  static Index clip(double at, Index size) {
    return static_cast<Index>(std::clamp(std::floor(at), 0.0, static_cast<double>(size)));
  }
  void blend(Index y, Index x, Colour colour, float cover) {
    float* pixel = image_.data() + (y * columns() + x) * 3;
    pixel[0] += cover * (colour.r - pixel[0]);
    pixel[1] += cover * (colour.g - pixel[1]);
    pixel[2] += cover * (colour.b - pixel[2]);
  }

  Image& image_;
  Index bottom_;
};

/// Pixels of a digit of the font.
inline constexpr double kLetter = 1.9;

inline double text_width(const std::string& text, double scale = 1) {
  double width = 0;
  for (const char c : text) width += scale * kLetter * (stroke_width_of(c) + 1.6);
  return width;
}

inline void draw_text(Brush& brush, const std::string& text, Point at, double scale = 1) {
  const double step = scale * kLetter;
  for (const char c : text) {
    Strokes outline;
    Point last{};
    int inside = 0;  // points of the present stroke
    const std::string_view strokes = strokes_of(c);
    for (std::size_t i = 0; i < strokes.size(); ++i) {
      if (strokes[i] == ' ') {
        inside = 0;
        continue;
      }
      const Point p{at.x + step * (strokes[i] - '0'), at.y + step * (strokes[i + 1] - '0')};
      ++i;
      const bool dot = inside == 0 && (i + 1 == strokes.size() || strokes[i + 1] == ' ');
      if (inside > 0 || dot) outline.segments.push_back({dot ? p : last, p});
      last = p;
      ++inside;
    }
    if (!outline.segments.empty()) brush.stroke(outline, 1.5 * scale, kLegendText);
    at.x += step * (stroke_width_of(c) + 1.6);
  }
}

}  // namespace nucdet::io::detail

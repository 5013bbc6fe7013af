#include "nucdet/io/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"

#include "stroke_font.hpp"

namespace nucdet::io {

namespace {

struct Colour {
  float r, g, b;
};

constexpr Colour kEdge{0.05f, 0.03f, 0.12f}, kLegendGround{0.10f, 0.09f, 0.13f}, kLegendText{0.96f, 0.96f, 0.98f};

constexpr Colour colour_of(MarkKind kind) {
  switch (kind) {
    case MarkKind::hit:
      return {0.35f, 1.0f, 0.35f};
    case MarkKind::false_alarm:
      return {1.0f, 0.62f, 0.05f};
    case MarkKind::miss:
      return {0.25f, 0.85f, 1.0f};
    default:
      return {1.0f, 0.95f, 0.2f};
  }
}

Colour colour_of_class(int class_id) {
  const auto c = class_colour(class_id);
  return {static_cast<float>(c[0]) / 255, static_cast<float>(c[1]) / 255, static_cast<float>(c[2]) / 255};
}
Colour colour_of(const OverlayMark& mark) {
  return mark.class_id == kUnknownClass ? colour_of(mark.kind) : colour_of_class(mark.class_id);
}

struct Segment {
  Point a, b;
};

double distance_to(const Segment& s, Point p) {
  const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = dx * dx + dy * dy;
  const double along = length > 0 ? std::clamp(((p.x - s.a.x) * dx + (p.y - s.a.y) * dy) / length, 0.0, 1.0) : 0.0;
  return std::sqrt(squared_distance(p, {s.a.x + along * dx, s.a.y + along * dy}));
}

/// A ring (radius above 0) and line segments: the outlines that all marks and letters are made of.
struct Outline {
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

Box box_of(const Outline& outline) {
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
class Canvas {
 public:
  Canvas(Image& image, Index bottom) : image_(image), bottom_(bottom) {}

  /// Lines of `width` pixels; a pixel is covered by as much of it as lies within half a width of the outline.
  void stroke(const Outline& outline, double width, Colour colour, double opacity = 1) {
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
  void edged(const Outline& outline, double width, Colour colour) {
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

/// Shapes of like area to the eye.
Outline shape_of(MarkKind kind, Point at, double radius) {
  Outline outline{at, 0, {}};
  const double side = 0.9 * radius, high = 1.25 * radius;
  if (kind == MarkKind::false_alarm)
    outline.polygon({{at.x - side, at.y - side},
                     {at.x + side, at.y - side},
                     {at.x + side, at.y + side},
                     {at.x - side, at.y + side}});
  else if (kind == MarkKind::miss)
    outline.polygon(
        {{at.x, at.y - high}, {at.x + 0.87 * high, at.y + 0.5 * high}, {at.x - 0.87 * high, at.y + 0.5 * high}});
  else
    outline.radius = radius;
  return outline;
}

void draw_mark(Canvas& canvas, const OverlayMark& mark, const OverlayStyle& style) {
  const Colour colour = colour_of(mark);
  if (mark.kind == MarkKind::hit) canvas.edged({{}, 0, {{mark.at, mark.truth}}}, 0.6 * style.width, colour);
  canvas.edged(shape_of(mark.kind, mark.at, style.radius), style.width, colour);
  const bool confused = mark.kind == MarkKind::hit && mark.class_id != kUnknownClass &&
                        mark.truth_class != kUnknownClass && mark.truth_class != mark.class_id;
  if (confused) canvas.edged({mark.at, 0.5 * style.radius, {}}, style.width, colour_of_class(mark.truth_class));
}

struct LegendItem {
  MarkKind kind;
  Colour colour;
  std::string text;
  double left = 0;
  Index row = 0;
};

constexpr double kLetter = 1.9, kRowHeight = 28, kMargin = 10, kSymbol = 6.5;

double text_width(const std::string& text) {
  double width = 0;
  for (const char c : text) width += kLetter * (detail::stroke_width_of(c) + 1.6);
  return width;
}

void draw_text(Canvas& canvas, const std::string& text, Point at) {
  for (const char c : text) {
    Outline outline;
    Point last{};
    int inside = 0;  // points of the present stroke
    const std::string_view strokes = detail::strokes_of(c);
    for (std::size_t i = 0; i < strokes.size(); ++i) {
      if (strokes[i] == ' ') {
        inside = 0;
        continue;
      }
      const Point p{at.x + kLetter * (strokes[i] - '0'), at.y + kLetter * (strokes[i + 1] - '0')};
      ++i;
      const bool dot = inside == 0 && (i + 1 == strokes.size() || strokes[i + 1] == ' ');
      if (inside > 0 || dot) outline.segments.push_back({dot ? p : last, p});
      last = p;
      ++inside;
    }
    if (!outline.segments.empty()) canvas.stroke(outline, 1.5, kLegendText);
    at.x += kLetter * (detail::stroke_width_of(c) + 1.6);
  }
}

/// The items of the legend, set in rows that fit the width: what the shapes say, then what the colours say.
std::vector<LegendItem> legend_of(std::span<const OverlayMark> marks, const ClassNames& names, Index width) {
  std::array<Index, 4> counts{};
  std::array<Index, kMostClasses> of_class{};
  bool classes = false;
  for (const OverlayMark& mark : marks) {
    ++counts[static_cast<std::size_t>(mark.kind)];
    if (mark.class_id != kUnknownClass) ++of_class[static_cast<std::size_t>(mark.class_id)], classes = true;
  }
  const auto text = [](Index count, const char* one, const char* many) {
    return std::to_string(count) + ' ' + (count == 1 ? one : many);
  };
  std::vector<LegendItem> items;
  const auto add = [&](MarkKind kind, std::string says) {
    items.push_back({kind, classes ? kLegendText : colour_of(kind), std::move(says)});
  };
  const bool scored = counts[1] + counts[2] + counts[3] > 0;
  if (!scored || counts[0] > 0) add(MarkKind::detection, text(counts[0], "nucleus", "nuclei"));
  if (scored) {
    add(MarkKind::hit, text(counts[1], "hit", "hits"));
    add(MarkKind::miss, text(counts[3], "miss", "misses"));
    add(MarkKind::false_alarm, text(counts[2], "false alarm", "false alarms"));
  }
  for (int c = 0; c < kMostClasses; ++c)
    if (const Index count = of_class[static_cast<std::size_t>(c)]; count > 0)
      items.push_back({MarkKind::detection, colour_of_class(c),
                       std::to_string(count) + ' ' + (c < names.size() ? names[c] : "class " + std::to_string(c))});
  double left = kMargin;
  Index row = 0;
  for (LegendItem& item : items) {
    const double needed = 2 * kSymbol + 7 + text_width(item.text);
    if (left > kMargin && left + needed > static_cast<double>(width)) left = kMargin, ++row;
    item.left = left, item.row = row;
    left += needed + 16;
  }
  return items;
}

void draw_legend(Canvas& canvas, const std::vector<LegendItem>& items, Index top, double width) {
  for (const LegendItem& item : items) {
    const double middle = static_cast<double>(top) + kRowHeight * (static_cast<double>(item.row) + 0.5);
    const double drop = item.kind == MarkKind::miss ? 1.5 : 0;  // a triangle's centre lies below its middle
    canvas.stroke(shape_of(item.kind, {item.left + kSymbol, middle + drop}, kSymbol), width, item.colour);
    draw_text(canvas, item.text, {item.left + 2 * kSymbol + 7, middle - 3 * kLetter});
  }
}

void check(const Image& image, std::span<const OverlayMark> marks, const OverlayStyle& style) {
  if (image.shape(2) != 3 || image.size() == 0)
    throw ShapeError(message("draw_overlay: image of ", image.shape(0), " x ", image.shape(1), " x ", image.shape(2),
                             ", wanted h x w x 3"));
  if (!(style.radius > 0 && style.radius <= 1000 && style.width > 0 && style.width <= 100 && style.zoom >= 1 &&
        style.zoom <= 16))
    throw ArgumentError(message("draw_overlay: radius ", style.radius, ", width ", style.width, ", zoom ", style.zoom,
                                ", wanted (0, 1000], (0, 100], 1 to 16"));
  for (const OverlayMark& mark : marks)
    for (const double value : {mark.at.x, mark.at.y, mark.truth.x, mark.truth.y})
      if (!std::isfinite(value)) throw ArgumentError("draw_overlay: the position of a mark is not finite");
  for (const OverlayMark& mark : marks)
    for (const int c : {mark.class_id, mark.truth_class})
      if (c < kUnknownClass || c >= kMostClasses)
        throw ArgumentError(message("draw_overlay: the class of a mark is ", c, ", wanted less than ", kMostClasses));
}

/// The image, enlarged, above a strip of the legend's colour.
Image enlarged(const Image& image, Index zoom, Index strip) {
  const Index height = zoom * static_cast<Index>(image.shape(0)), width = zoom * static_cast<Index>(image.shape(1));
  Image result = make_image(height + strip, width, 3);
  float* to = result.data();
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x, to += 3)
      std::copy_n(image.data() + (y / zoom * static_cast<Index>(image.shape(1)) + x / zoom) * 3, 3, to);
  for (Index i = 0; i < strip * width; ++i, to += 3)
    to[0] = kLegendGround.r, to[1] = kLegendGround.g, to[2] = kLegendGround.b;
  return result;
}

}  // namespace

Image draw_overlay(const Image& image, std::span<const OverlayMark> marks, OverlayStyle style) {
  check(image, marks, style);
  const Index height = style.zoom * static_cast<Index>(image.shape(0)),
              width = style.zoom * static_cast<Index>(image.shape(1));
  const std::vector<LegendItem> items =
      style.legend ? legend_of(marks, style.classes, width) : std::vector<LegendItem>{};
  const Index strip = items.empty() ? 0 : static_cast<Index>(kRowHeight) * (items.back().row + 1);
  Image result = enlarged(image, style.zoom, strip);
  // The centre of the first pixel moves to the centre of its zoom x zoom block.
  const auto placed = [&](Point p) {
    return Point{style.zoom * p.x + 0.5 * (style.zoom - 1), style.zoom * p.y + 0.5 * (style.zoom - 1)};
  };
  Canvas picture(result, height), whole(result, height + strip);
  for (OverlayMark mark : marks) {
    mark.at = placed(mark.at), mark.truth = placed(mark.truth);
    draw_mark(picture, mark, style);
  }
  draw_legend(whole, items, height, style.width);
  return result;
}

}  // namespace nucdet::io

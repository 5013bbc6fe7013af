#include "nucdet/io/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"

#include "brush.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

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

/// Shapes of like area to the eye.
Strokes shape_of(MarkKind kind, Point at, double radius) {
  Strokes outline{at, 0, {}};
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

void draw_mark(Brush& canvas, const OverlayMark& mark, const OverlayStyle& style) {
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

constexpr double kRowHeight = 28, kMargin = 10, kSymbol = 6.5;

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

void draw_legend(Brush& canvas, const std::vector<LegendItem>& items, Index top, double width) {
  for (const LegendItem& item : items) {
    const double middle = static_cast<double>(top) + kRowHeight * (static_cast<double>(item.row) + 0.5);
    const double drop = item.kind == MarkKind::miss ? 1.5 : 0;  // a triangle's centre lies below its middle
    canvas.stroke(shape_of(item.kind, {item.left + kSymbol, middle + drop}, kSymbol), width, item.colour);
    draw_text(canvas, item.text, {item.left + 2 * kSymbol + 7, middle - 3 * kLetter});
  }
}

void check_marks(const Image& image, std::span<const OverlayMark> marks, const OverlayStyle& style) {
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
  check_marks(image, marks, style);
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
  Brush picture(result, height), whole(result, height + strip);
  for (OverlayMark mark : marks) {
    mark.at = placed(mark.at), mark.truth = placed(mark.truth);
    draw_mark(picture, mark, style);
  }
  draw_legend(whole, items, height, style.width);
  return result;
}

}  // namespace nucdet::io

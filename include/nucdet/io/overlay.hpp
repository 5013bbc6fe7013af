#pragma once
#include <cstdint>
#include <span>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/point.hpp"
#include "nucdet/data/image.hpp"

namespace nucdet::io {

/// What a mark says, told by shape and by colour; where classes are known, the colour tells the class (class_colour).
enum class MarkKind : std::uint8_t {
  detection,    ///< not scored: yellow ring
  hit,          ///< green circle, with a thin line to its truth
  false_alarm,  ///< orange square
  miss          ///< blue triangle, at the truth
};

struct OverlayMark {
  Point at{};  ///< pixels of the image
  MarkKind kind = MarkKind::detection;
  Point truth{};                    ///< of a hit
  int class_id = kUnknownClass;     ///< found, or of a missed nucleus
  int truth_class = kUnknownClass;  ///< of a hit: if it is another one, a small ring inside has its colour
};

struct OverlayStyle {
  double radius = 8;     ///< of a ring, pixels of the result
  double width = 1.8;    ///< of a line, pixels of the result
  int zoom = 1;          ///< every pixel of the image becomes zoom x zoom
  bool legend = true;    ///< a strip below the image with the shapes and their counts
  ClassNames classes{};  ///< for the legend, which shows those that are marked; "class 2" without a name
};

/// A copy of an RGB image with the marks on it: anti-aliased bright lines on a dark edge, which show on any stain.
/// Later marks lie on earlier ones. Marks outside the image are cut.
/// Throws ShapeError unless the image is [h, w, 3], ArgumentError for a mark that is not finite or a bad style.
Image draw_overlay(const Image& image, std::span<const OverlayMark> marks, OverlayStyle style = {});

}  // namespace nucdet::io

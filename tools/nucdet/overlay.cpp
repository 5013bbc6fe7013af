#include <iostream>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/match/hungarian.hpp"

#include "commands.hpp"
#include "score_overlay.hpp"

namespace nucdet::program {

int overlay(const OverlayOptions& o) {
  data::check_scale(o.scale);
  const Image image = io::read_image(o.image);
  if (o.detections.empty() && o.truth.empty())
    throw ArgumentError("overlay: neither --detections nor --truth was given");
  std::vector<io::OverlayMark> marks;
  if (o.detections.empty() || o.truth.empty()) {  // one list of points: nothing to score
    for (const Point& p : io::read_points(o.detections.empty() ? o.truth : o.detections))
      marks.push_back({p, io::MarkKind::detection, {}});
  } else {
    const auto reference = [&](const std::vector<Point>& points) {
      std::vector<Point> moved;
      for (const Point& p : points) moved.push_back(data::to_reference(p, o.scale));
      return moved;
    };
    marks = score_marks(match::HungarianMatcher{o.gate}, reference(io::read_points(o.detections)),
                        reference(io::read_points(o.truth)), o.scale);
  }
  io::write_png(o.out, io::draw_overlay(image, marks, {.zoom = o.zoom}));
  std::cout << o.out << '\n';
  return 0;
}

}  // namespace nucdet::program

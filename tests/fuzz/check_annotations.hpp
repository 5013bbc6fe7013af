#pragma once
#include <cstdlib>

#include "nucdet/io/annotations.hpp"

/// What holds of everything that is read: places that files may hold, a class for each point or none at all, areas with
/// corners.
inline void check(const nucdet::io::Annotations& found) {
  for (const nucdet::Point& p : found.points)
    if (!nucdet::is_place(p)) std::abort();
  if (!found.classes.empty() && found.classes.size() != found.points.size()) std::abort();
  for (const auto* areas : {&found.areas.regions, &found.areas.ignored})
    for (const nucdet::Area& area : *areas) {
      if (area.rings.empty()) std::abort();
      for (const auto& ring : area.rings)
        if (ring.empty() || !nucdet::is_place(ring[0])) std::abort();
    }
}

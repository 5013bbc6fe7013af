#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "outline.hpp"

/// Geometries as well-known binary (OGC 06-103r4; the flags for z, m and reference system of PostGIS, too).
namespace nucdet::io::detail {

/// A geometry's points, or its outline. Throws IoError, naming `where`, for damaged bytes and for other geometries.
void parse_wkb(std::string_view bytes, std::string_view where, const std::function<void(Point)>& point,
               const std::function<void(Outline)>& outline);

/// A polygon; a MultiPolygon if there are several. Each is an outer ring and its holes, by their places among the
/// rings.
std::string wkb_of(const Area& area, const std::vector<std::vector<std::size_t>>& polygons);

}  // namespace nucdet::io::detail

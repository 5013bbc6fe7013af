#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "nucdet/io/annotations.hpp"

/// What readers of outlines share: an outline is a nucleus, or an area where its class says so.
namespace nucdet::io::detail {

/// A polygon or several, in pixels.
struct Outline {
  Area area{};
  std::vector<std::size_t> outer{};  // which rings are no holes
};

/// The centroid of what the outer rings enclose. Where that is nothing, or they cross themselves so that it lies beside
/// them, the mean of their corners.
Point centre_of(const Outline& outline);
/// What the outer rings enclose, square pixels.
double size_of(const Outline& outline);

/// An area's rings as polygons: an outer ring, then its holes. A ring within an even number of others is an outer one.
std::vector<std::vector<std::size_t>> polygons_of(const Area& area);

/// Adds the outline's area or its centre. Areas are told by their class, in any case: "Region*", "Region" and "ROI" are
/// where nuclei count; "Ignore" and, as in QuPath, any class that ends in '*' are ignored.
void add_outline(Annotations& found, Outline outline, const std::string& class_name);

/// What is written for areas; add_outline knows them.
inline constexpr const char* kRegionClass = "Region*";
inline constexpr const char* kIgnoredClass = "Ignore*";

/// Where no point has a class, there are none.
void drop_empty_classes(Annotations& found);

}  // namespace nucdet::io::detail

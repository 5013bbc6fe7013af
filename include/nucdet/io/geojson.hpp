#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "nucdet/io/annotations.hpp"
#include "nucdet/io/json.hpp"

/// GeoJSON (RFC 7946) as QuPath writes and reads it. QuPath's origin is the corner of the top left pixel, ours is its
/// centre: a nucleus at (x, y) has the coordinates (x + 0.5, y + 0.5).
namespace nucdet::io {

/// A FeatureCollection of points, for QuPath and GIS tools. Every feature is a "detection" (without which QuPath would
/// make slow annotations of them) with its class and colour as classification, and score and class probability as
/// measurements. Nuclei without a class are classified as `class_name`. Throws IoError.
void write_geojson(const std::filesystem::path& path, const DetectionReport& report,
                   const std::string& class_name = "Nucleus");

/// The points of a FeatureCollection, a Feature, or a bare list of them, and their classes. Geometries may be Point
/// and, what QuPath makes of its points tool, MultiPoint, whose points share a class. Throws IoError, naming `where`
/// and the feature, for other geometries, which have no one centre, and for what is no GeoJSON.
Annotations parse_geojson(std::string_view text, std::string_view where);

}  // namespace nucdet::io

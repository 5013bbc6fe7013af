#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "nucdet/io/annotations.hpp"
#include "nucdet/io/json.hpp"

/// GeoJSON (RFC 7946) as QuPath writes and reads it. QuPath's origin is the corner of the top left pixel, ours is its
/// centre: a nucleus at (x, y) has the coordinates (x + 0.5, y + 0.5).
namespace nucdet::io {

struct GeoJsonOptions {
  std::string class_name = "Nucleus";  ///< of nuclei without a class
  Point offset{};    ///< added to all positions: where the image's top left pixel lies in the slide it was cut from
  bool ids = false;  ///< features have UUIDs, made from image and position: the same call gives the same
};

/// A FeatureCollection of points, for QuPath and GIS tools; gzipped where the name ends in ".gz". Memory does not grow
/// with the number of nuclei. The collection's first member, "nucdet", says what made it: {"version", "format":
/// "nucdet-geojson-1", "image", "width", "height", "um_per_pixel", "model", ...}, as far as it is known. Every feature
/// is a "detection" (without which QuPath would make slow annotations of them) with its class and colour as
/// classification, and score and class probability as measurements. Throws IoError, ArgumentError for positions that
/// are not within 1e9 pixels.
void write_geojson(const std::filesystem::path& path, const DetectionReport& report,
                   const GeoJsonOptions& options = {});

/// The same of annotations: points, and areas as polygons of the classes "Region*" and "Ignore*". What nucdet found
/// (`detections`) still says so.
void write_geojson(const std::filesystem::path& path, const Annotations& annotations);

/// Nuclei of a FeatureCollection, a Feature, a list of them or a bare geometry, and their classes. Point; MultiPoint
/// (QuPath's points tool), whose points share a class; Polygon and MultiPolygon, at the centroid of their outer rings,
/// of a cell of QuPath that of its nucleus. Polygons whose class is "Region*", "Region" or "ROI" (in any case) are
/// areas where nuclei count, "Ignore" and, as in QuPath, those that end in '*' are ignored areas. Throws IoError,
/// naming `where` and the feature, for lines, which have no centre, and for what is no GeoJSON.
Annotations parse_geojson(std::string_view text, std::string_view where);

}  // namespace nucdet::io

#pragma once
#include <filesystem>
#include <span>
#include <vector>

#include "nucdet/core/point.hpp"
#include "nucdet/data/image.hpp"
#include "nucdet/data/image_view.hpp"
#include "nucdet/io/picture.hpp"

namespace nucdet::io {

struct DensityOptions {
  double cell_um = 50;  ///< along a side of a cell
  double sigma_um = 0;  ///< of a Gaussian that smooths the map; 0: cells are counted as they are
};

/// Nuclei per mm2 in square cells. The first cell begins at the image's left and upper edge; the last ones of a row and
/// a column reach to the other edges, by half a cell less or more.
struct DensityMap {
  Plane per_mm2{};  ///< [rows, columns]
  double cell_um = 0;
  double height_um = 0, width_um = 0;  ///< of the image

  Index rows() const { return static_cast<Index>(per_mm2.shape(0)); }
  Index columns() const { return static_cast<Index>(per_mm2.shape(1)); }
  /// Where a cell's middle lies, um from the image's left or upper edge.
  double middle_of_column(Index i) const { return middle(i, columns(), width_um); }
  double middle_of_row(Index i) const { return middle(i, rows(), height_um); }

 private:
  double middle(Index i, Index cells, double size_um) const {
    const double begin = static_cast<double>(i) * cell_um;
    return 0.5 * (begin + (i + 1 == cells ? size_um : begin + cell_um));
  }
};

/// Nuclei counted by cell as they come, so that those of a slide need no list.
class NucleusCounts {
 public:
  /// Of an image of height x width pixels whose size is known. Throws ArgumentError for sizes that are not above 0, a
  /// sigma below 0, and more than 100 million cells.
  NucleusCounts(Index height, Index width, const PixelSize& pixel_size, const DensityOptions& options = {});

  /// In pixels of the image; a point outside does not count.
  void add(Point p);
  Index total() const { return total_; }
  /// A cell's value is its count by its area; smoothed, both are before they are divided, so that the image's edges are
  /// not paler.
  DensityMap map() const;

 private:
  PixelSize pixel_size_;
  DensityOptions options_;
  double height_um_, width_um_;
  Index rows_, columns_, total_ = 0;
  std::vector<double> counts_;
};

/// The map of a list of points: see NucleusCounts.
DensityMap density_map(std::span<const Point> points, Index height, Index width, const PixelSize& pixel_size,
                       const DensityOptions& options = {});

struct DensityStyle {
  Index longest = 2000;  ///< pixels: a larger image is shown by the means of squares of pixels
  float opacity = 0.6f;  ///< of the colours
  double most = 0;       ///< nuclei per mm2 of the brightest colour; 0: the map's most, rounded up
};

/// The image in grey under the map's colours (viridis; where there are no nuclei, none), above a strip with the
/// colours' values and a scale bar. The map must be of this image. Throws ArgumentError for an empty map or a bad
/// style.
Image draw_density(const data::ImageView& image, const DensityMap& map, const DensityStyle& style = {});

/// A table of the map: the first line has the middles of the columns, each further one that of a row and the nuclei per
/// mm2 of its cells; middles are um from the image's left and upper edge. Throws IoError.
void write_density_csv(const std::filesystem::path& path, const DensityMap& map);

}  // namespace nucdet::io

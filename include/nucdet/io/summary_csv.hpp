#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/io/picture.hpp"

namespace nucdet::io {

/// What was found in an image, in a line.
struct SummaryRow {
  std::string image{};
  Index width = 0, height = 0;
  PixelSize pixel_size{};
  double area_mm2 = 0;  ///< where nuclei count; 0: all of the image, where the size of a pixel is known
  Index nuclei = 0;
  std::vector<Index> of_class{};  ///< as many as classes, or empty
  double seconds = 0;
};

/// Columns image, width, height, um_per_pixel_x, um_per_pixel_y, area_mm2, nuclei, per_mm2, one for each class with the
/// number of its nuclei ("class: tumour"), and seconds. What is not known is empty. Throws IoError, ArgumentError for
/// rows with another number of classes.
void write_summary_csv(const std::filesystem::path& path, std::span<const SummaryRow> rows,
                       const ClassNames& classes = {});

}  // namespace nucdet::io

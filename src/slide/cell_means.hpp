#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "nucdet/core/watch.hpp"
#include "nucdet/slide/pyramid_reader.hpp"

namespace nucdet::slide::detail {

/// Mean colours of a slide in a grid of cells that covers it.
struct CellMeans {
  static constexpr int kOne = 256;  ///< what stands for a step of an 8-bit colour

  Index width = 0, height = 0;
  std::vector<std::array<std::uint16_t, 3>> rgb{};  ///< rows; 0 to 255 * kOne
  std::vector<std::uint8_t> constant{};  ///< whether all values in a cell, of all channels, are the same; or kBeyond
  static constexpr std::uint8_t kBeyond = 2;  ///< the slide's bounds: nothing of the cell was scanned

  Index cells() const { return width * height; }
};

/// A level in columns x rows cells: no more than it has pixels. It is read in blocks of some MB, whatever its size, and
/// not beyond the slide's bounds: cells there are white. Throws IoError, and Stopped by the watch, which counts blocks.
CellMeans cell_means(const Slide& slide, Index level, Index columns, Index rows, const Watch& watch = {});

}  // namespace nucdet::slide::detail

#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "nucdet/core/shape.hpp"

/// Shapes on a grid of cells: rows of `width`, 0 where nothing is.
namespace nucdet::slide::detail {

using Cells = std::vector<std::uint8_t>;

/// What lies within `radius` cells of a set cell, from middle to middle.
Cells grown(const Cells& cells, Index width, double radius);

/// Takes out what is small: pieces of `grown`, cells that touch at sides or corners, in which less than `least` of the
/// `cells` are set. Seeds that lie as close as they were grown so count together: loose tissue is no dust.
void drop_specks(Cells& grown, const Cells& cells, Index width, double least);

/// Sets cells that are not, in pieces (cells that touch at sides) of less than `least` of them, unless they touch the
/// grid's border.
void fill_holes(Cells& cells, Index width, double least);

}  // namespace nucdet::slide::detail

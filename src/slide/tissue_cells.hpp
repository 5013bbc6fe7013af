#pragma once
#include "cell_means.hpp"
#include "cell_shapes.hpp"

namespace nucdet::slide::detail {

/// The cells with tissue, before their shapes are looked at: those that differ from glass by colour or in light.
/// Padding that the scanner filled in is none.
Cells tissue_cells(const CellMeans& means);

}  // namespace nucdet::slide::detail

#pragma once
#include <cstdint>
#include <vector>

#include "sqlite.hpp"

namespace nucdet::io::detail {

/// A row of the table rtree: its id, and its box of floats that holds what it is of.
struct RtreeRow {
  std::int64_t id = 0;
  float min_x = 0, max_x = 0, min_y = 0, max_y = 0;
};

/// The floats next to a box, outwards.
RtreeRow rtree_row(std::int64_t id, double min_x, double max_x, double min_y, double max_y);

/// Fills the table `rtree` of four coordinates, which is there and empty, with rows whose ids are 1, 2, ... in any
/// order. SQLite inserts 60,000 rows a second into such a tree; here it is packed at once (sort-tile-recursive:
/// Leutenegger, Lopez and Edgington, 1997) and its nodes are written as the R*Tree module has them
/// (https://www.sqlite.org/rtree.html#shadow_tables). Throws IoError.
void fill_rtree(const Database& db, std::vector<RtreeRow> rows);

}  // namespace nucdet::io::detail

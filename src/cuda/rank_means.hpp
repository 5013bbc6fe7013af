#pragma once
#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/optim/segment.hpp"

namespace nucdet::cuda {

/// Means over the ranks, added in their order, in double: the sums of mpi::MpiRanks.
struct RankMeans {
  const float* parts;  ///< [ranks x size]
  float* means;        ///< [size]
  Index size, ranks;

  NUCDET_HD void operator()(const exec::Tile& tile) const {
    const optim::detail::FlatRange range(tile, size);
    for (Index i = range.from; i < range.to; ++i) {
      double sum = 0;
      for (Index r = 0; r < ranks; ++r) sum += static_cast<double>(parts[r * size + i]);
      means[i] = static_cast<float>(sum / static_cast<double>(ranks));
    }
  }
};

}  // namespace nucdet::cuda

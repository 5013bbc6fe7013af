#pragma once
/// The only header on the compute path that includes Eigen; where nucdet::cpu brings the product, nobody includes it.
#include <Eigen/Core>

// What is called below is inside of Eigen, where a later version may change it: checked with 3.4.0 and 3.4.1.
static_assert(EIGEN_WORLD_VERSION == 3 && EIGEN_MAJOR_VERSION == 4, "nucdet: wanted Eigen 3.4");

#include "nucdet/cpu/gemm.hpp"

namespace nucdet::cpu {

/// Calls Eigen's serial product (the one without parallel information) directly: the operators would start OpenMP
/// threads in a program built with -fopenmp, and their last bits depend on how many. They also sum small products in
/// another order, so that a pixel's value would depend on the size of its tile.
template <bool Transposed>
void gemm(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b, Index ldb, float* c,
          Index ldc) {
  namespace ei = Eigen::internal;
  constexpr int kOrder = Transposed ? Eigen::ColMajor : Eigen::RowMajor;
  using Product = ei::general_matrix_matrix_product<Eigen::Index, float, kOrder, false, float, Eigen::RowMajor, false,
                                                    Eigen::RowMajor, 1>;
  using Blocking =
      ei::gemm_blocking_space<Eigen::RowMajor, float, float, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic>;
  if (rows <= 0 || cols <= 0 || depth <= 0) return;
  Blocking blocking(rows, cols, depth, 1, true);
  Product::run(rows, cols, depth, a, lda, b, ldb, c, 1, ldc, 1.0f, blocking, nullptr);
}

}  // namespace nucdet::cpu

#pragma once
/// The only header on the compute path that includes Eigen; where nucdet::cpu brings the product, nobody includes it.
#include <Eigen/Core>

#include "nucdet/cpu/gemm.hpp"

namespace nucdet::cpu {

/// Calls Eigen's serial product (the one without parallel information) directly: the operators would start OpenMP
/// threads in a program built with -fopenmp, and their last bits depend on how many.
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

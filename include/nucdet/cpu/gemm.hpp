#pragma once
/// The only header on the compute path that includes Eigen: one matrix product.
#include <Eigen/Core>

#include "nucdet/core/shape.hpp"

namespace nucdet::cpu {

/// c += a b, or a' b with Transposed. c: [rows x cols]; a: [rows x depth] (Transposed: [depth x rows]); b: [depth x
/// cols]; all row-major with a row stride. Rows of a may overlap (lda < depth): a sliding window over pixels is a
/// matrix.
///
/// Calls Eigen's serial product (the one without parallel information) directly: the operators would start OpenMP
/// threads in a program built with -fopenmp, and their last bits depend on how many.
template <bool Transposed = false>
inline void gemm(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b, Index ldb, float* c,
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

/// Double precision serves gradient checks only, so plain loops do, and users do not compile Eigen's product twice.
template <bool Transposed = false>
inline void gemm(Index rows, Index cols, Index depth, const double* a, Index lda, const double* b, Index ldb, double* c,
                 Index ldc) {
  for (Index i = 0; i < rows; ++i)
    for (Index k = 0; k < depth; ++k) {
      const double factor = Transposed ? a[k * lda + i] : a[i * lda + k];
      for (Index j = 0; j < cols; ++j) c[i * ldc + j] += factor * b[k * ldb + j];
    }
}

}  // namespace nucdet::cpu

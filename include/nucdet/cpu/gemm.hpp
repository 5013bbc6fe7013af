#pragma once
#include "nucdet/core/shape.hpp"

namespace nucdet::cpu {

/// c += a b, or a' b with Transposed. c: [rows x cols]; a: [rows x depth] (Transposed: [depth x rows]); b: [depth x
/// cols]; all row-major with a row stride. Rows of a may overlap (lda < depth): a sliding window over pixels is a
/// matrix.
template <bool Transposed = false>
void gemm(Index rows, Index cols, Index depth, const float* a, Index lda, const float* b, Index ldb, float* c,
          Index ldc);

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

// nucdet::cpu brings the product; nucdet::cuda needs none, and nvcc must not see Eigen.
#if !defined(NUCDET_PREBUILT) && !defined(NUCDET_WITHOUT_PRODUCT)
#include "nucdet/cpu/gemm_eigen.hpp"
#endif

// Winograd's construction in one dimension, in double precision: products at the points make the correlation.
#include <vector>

#include "nucdet/core/rng.hpp"

#include "support/catch.hpp"

#define NUCDET_ISA nucdet_test_points
#include "cpu/isa/points.hpp"

using namespace nucdet_test_points;

namespace {

template <int M, int R>
void check_correlation() {
  constexpr int N = M + R - 1;
  nucdet::RandomStream random{1};
  double d[N], g[R], v[N], u[N], y[M];
  for (double& x : d) x = random.uniform(-1, 1);
  for (double& x : g) x = random.uniform(-1, 1);
  std::copy(d, d + N, v);
  interpolate<N>(v);
  evaluate<N, R, true>(g, u);
  for (int i = 0; i < N; ++i) v[i] *= u[i];
  collect<N, M, false>(v, y);
  for (int i = 0; i < M; ++i) {
    double wanted = 0;
    for (int k = 0; k < R; ++k) wanted += d[i + k] * g[k];
    // The factors are floats: those of 1/90 and the like are rounded.
    CHECK(y[i] == Approx(wanted).margin(2e-6));
  }
}

/// evaluate and collect with the same settings are each other's transpose: a' evaluate(b) = collect(a)' b.
template <int N, int K, bool Scaled>
void check_transpose() {
  nucdet::RandomStream random{2};
  double a[N], b[K], image[N], back[K], left = 0, right = 0;
  for (double& x : a) x = random.uniform(-1, 1);
  for (double& x : b) x = random.uniform(-1, 1);
  evaluate<N, K, Scaled>(b, image);
  collect<N, K, Scaled>(a, back);
  for (int i = 0; i < N; ++i) left += a[i] * image[i];
  for (int k = 0; k < K; ++k) right += back[k] * b[k];
  CHECK(left == Approx(right).margin(1e-9));
}

}  // namespace

TEST_CASE("products at the points are a correlation") {
  check_correlation<2, 3>(), check_correlation<4, 3>(), check_correlation<6, 3>();
  check_correlation<2, 5>(), check_correlation<4, 5>();
}

TEST_CASE("what gathers gradients is the transpose of what transforms") {
  check_transpose<4, 2, false>(), check_transpose<6, 4, false>(), check_transpose<8, 6, false>();
  check_transpose<4, 3, true>(), check_transpose<6, 3, true>(), check_transpose<8, 5, true>();
}

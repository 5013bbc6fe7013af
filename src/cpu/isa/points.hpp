#pragma once

/// Winograd's minimal filtering in one dimension, F(m, r), by Toom and Cook's construction over the points 0, +-1, +-2,
/// +-1/2, ... and infinity, n = m + r - 1 of them:   y = A' [ (G g) * (B' d) ]   (Winograd 1980; Lavin and Gray 2016).
/// With M(x) the product of (x - p) over the finite points,
///   A'   row i: p^i for each point p, infinity: i == m - 1
///   G    row p: p^k / N_p, N_p = product of (p - q) over the other points q; infinity: k == r - 1
///   B'   row p: the coefficients of M(x) / (x - p); infinity: those of M(x)
/// Points in pairs +-p share their even and odd parts. V is a number or a vector of numbers.
namespace NUCDET_ISA {

template <int N>
struct Points {
  static constexpr int kPairs = (N - 2) / 2;
  static constexpr double kPair[3] = {1, 2, 0.5};

  /// Coefficients, in x^2, of the product of (x^2 - q^2) over all pairs but `without` (-1: over all).
  struct Even {
    double of[4]{};
  };
  static constexpr Even product(int without) {
    Even e{{1}};
    for (int pair = 0, degree = 0; pair < kPairs; ++pair) {
      if (pair == without) continue;
      const double root = kPair[pair] * kPair[pair];
      ++degree;
      for (int k = degree; k >= 0; --k) e.of[k] = (k > 0 ? e.of[k - 1] : 0) - root * (k < degree ? e.of[k] : 0);
    }
    return e;
  }
  /// N_p for the points +-kPair[pair] (they are equal), and for 0 (pair == -1).
  static constexpr double norm(int pair) {
    const double at = pair < 0 ? 0 : kPair[pair] * kPair[pair];
    double value = pair < 0 ? 1 : 2 * at;
    for (int other = 0; other < kPairs; ++other)
      if (other != pair) value *= at - kPair[other] * kPair[other];
    return value;
  }
  static constexpr double power(int pair, int exponent) {
    double value = 1;
    for (int i = 0; i < exponent; ++i) value *= kPair[pair];
    return value;
  }
};

/// Order of the points in memory: 0, +p, -p for each pair, infinity.

/// B' d, in place.
template <int N, class V>
[[gnu::always_inline]] inline void interpolate(V* d) {
  using P = Points<N>;
  constexpr auto kAll = P::product(-1);
  V out[N];
  out[0] = d[0] * static_cast<float>(kAll.of[0]), out[N - 1] = d[1] * static_cast<float>(kAll.of[0]);
#pragma GCC unroll 8
  for (int k = 1; k <= P::kPairs; ++k) {
    out[0] += d[2 * k] * static_cast<float>(kAll.of[k]);
    out[N - 1] += d[2 * k + 1] * static_cast<float>(kAll.of[k]);
  }
#pragma GCC unroll 8
  for (int pair = 0; pair < P::kPairs; ++pair) {
    const auto rest = P::product(pair);
    V even = d[2] * static_cast<float>(rest.of[0]), odd = d[1] * static_cast<float>(rest.of[0] * P::kPair[pair]);
#pragma GCC unroll 8
    for (int k = 1; k < P::kPairs; ++k) {
      even += d[2 * k + 2] * static_cast<float>(rest.of[k]);
      odd += d[2 * k + 1] * static_cast<float>(rest.of[k] * P::kPair[pair]);
    }
    out[1 + 2 * pair] = even + odd, out[2 + 2 * pair] = even - odd;
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) d[i] = out[i];
}

/// The polynomial with these K coefficients at every point: A (K = m) and, with Scaled, G (K = r).
template <int N, int K, bool Scaled, class V>
[[gnu::always_inline]] inline void evaluate(const V* in, V* out) {
  using P = Points<N>;
  out[0] = Scaled ? in[0] * static_cast<float>(1 / P::norm(-1)) : in[0];
  out[N - 1] = in[K - 1];
#pragma GCC unroll 8
  for (int pair = 0; pair < P::kPairs; ++pair) {
    const double scale = Scaled ? 1 / P::norm(pair) : 1;
    V even = in[0] * static_cast<float>(scale), odd = in[1] * static_cast<float>(scale * P::power(pair, 1));
#pragma GCC unroll 8
    for (int k = 2; k < K; ++k) {
      const float factor = static_cast<float>(scale * P::power(pair, k));
      if (k % 2 == 0)
        even += in[k] * factor;
      else
        odd += in[k] * factor;
    }
    out[1 + 2 * pair] = even + odd, out[2 + 2 * pair] = even - odd;
  }
}

/// The transpose of evaluate: A' (K = m) and, with Scaled, G' (K = r).
template <int N, int K, bool Scaled, class V>
[[gnu::always_inline]] inline void collect(const V* in, V* out) {
  using P = Points<N>;
  out[0] = Scaled ? in[0] * static_cast<float>(1 / P::norm(-1)) : in[0];
#pragma GCC unroll 8
  for (int k = 1; k < K; ++k) out[k] = V{};
#pragma GCC unroll 8
  for (int pair = 0; pair < P::kPairs; ++pair) {
    const double scale = Scaled ? 1 / P::norm(pair) : 1;
    const V even = in[1 + 2 * pair] + in[2 + 2 * pair], odd = in[1 + 2 * pair] - in[2 + 2 * pair];
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) out[k] += (k % 2 == 0 ? even : odd) * static_cast<float>(scale * P::power(pair, k));
  }
  out[K - 1] += in[N - 1];
}

}  // namespace NUCDET_ISA

#pragma once
#include <concepts>
#include <type_traits>

#include "nucdet/core/math.hpp"

namespace nucdet::ops {

/// An element function and its slope expressed through its output: f(x), and f'(x) as slope(f(x)). Both run on the
/// device.
template <class F>
concept Activation = std::is_trivially_copyable_v<F> && requires(const F& f, float x) {
  { f(x) } -> std::same_as<float>;
  { f.slope(x) } -> std::same_as<float>;
};

/// x for x > 0, else alpha (exp(x) - 1)   [Clevert et al. 2016; alpha = 1 in Xing 2019]
struct Elu {
  float alpha = 1;

  template <class T>
  NUCDET_HD T operator()(T x) const {
    // A sum of two parts, one of which is 0: no branch, so that compilers make vectors of it.
    const T negative = math::negative_part(x);
    return (x - negative) + static_cast<T>(alpha) * math::expm1(math::bounded_below(negative, T(87)));
  }
  template <class T>
  NUCDET_HD T slope(T y) const {
    return math::negative_part(y) + (y > T(0) ? T(1) : static_cast<T>(alpha));
  }
};

struct Relu {
  template <class T>
  NUCDET_HD T operator()(T x) const {
    return x < T(0) ? T(0) : x;  // in this order NaN stays NaN
  }
  template <class T>
  NUCDET_HD T slope(T y) const {
    return y > T(0) ? T(1) : T(0);
  }
};

/// x for x > 0, else negative_slope x. negative_slope must be positive, so that the output tells the side.
struct LeakyRelu {
  float negative_slope = 0.01f;

  template <class T>
  NUCDET_HD T operator()(T x) const {
    const T negative = math::negative_part(x);
    return (x - negative) + static_cast<T>(negative_slope) * negative;
  }
  template <class T>
  NUCDET_HD T slope(T y) const {
    return y > T(0) ? T(1) : static_cast<T>(negative_slope);
  }
};

/// 1 / (1 + exp(-x))
struct Sigmoid {
  template <class T>
  NUCDET_HD T operator()(T x) const {
    return T(1) / (T(1) + math::exp(-math::clamp_magnitude(x, T(87))));
  }
  template <class T>
  NUCDET_HD T slope(T y) const {
    return y * (T(1) - y);
  }
};

/// y = scale / (1 + exp(-x)): a bounded output for labels in [0, scale].
struct ScaledSigmoid {
  float scale = 1;

  template <class T>
  NUCDET_HD T operator()(T x) const {
    return static_cast<T>(scale) * Sigmoid{}(x);
  }
  template <class T>
  NUCDET_HD T slope(T y) const {
    return y * (T(1) - y / static_cast<T>(scale));
  }
};

/// y = factor x: a scaled branch of a residual block.
struct Scale {
  float factor = 1;

  template <class T>
  NUCDET_HD T operator()(T x) const {
    return static_cast<T>(factor) * x;
  }
  template <class T>
  NUCDET_HD T slope(T) const {
    return static_cast<T>(factor);
  }
};

/// The activations that a convolution can apply before it stores.
struct Fused {
  enum class Kind { none, elu, relu, leaky_relu, sigmoid };
  Kind kind = Kind::none;
  float parameter = 0;  ///< ELU's alpha, leaky ReLU's negative slope
};

}  // namespace nucdet::ops

#pragma once
#include <concepts>
#include <type_traits>

#include "nucdet/core/math.hpp"

namespace nucdet::ops {

/// The slope of an element function, f'(x), taken from its output: f.slope(f(x)), or from its input: f.slope_at(x).
template <class F>
concept SlopeOfOutput = requires(const F& f, float y) {
  { f.slope(y) } -> std::same_as<float>;
};
template <class F>
concept SlopeOfInput = requires(const F& f, float x) {
  { f.slope_at(x) } -> std::same_as<float>;
};
/// An element function and its slope. Both run on the device.
template <class F>
concept Activation = std::is_trivially_copyable_v<F> &&
    (SlopeOfOutput<F> || SlopeOfInput<F>)&&requires(const F& f, float x) {
  { f(x) } -> std::same_as<float>;
};

/// Every activation, once: X(functor, name, more...). A functor has no members or one float. The kinds of Fused, what
/// convolutions can apply before they store, the ready-made layers and the GPU's kernels follow from this list.
#define NUCDET_ACTIVATIONS(X, ...)                            \
  X(Elu, elu __VA_OPT__(, ) __VA_ARGS__)                      \
  X(Relu, relu __VA_OPT__(, ) __VA_ARGS__)                    \
  X(LeakyRelu, leaky_relu __VA_OPT__(, ) __VA_ARGS__)         \
  X(Sigmoid, sigmoid __VA_OPT__(, ) __VA_ARGS__)              \
  X(ScaledSigmoid, scaled_sigmoid __VA_OPT__(, ) __VA_ARGS__) \
  X(Scale, scale __VA_OPT__(, ) __VA_ARGS__)                  \
  X(Gelu, gelu __VA_OPT__(, ) __VA_ARGS__)                    \
  X(Silu, silu __VA_OPT__(, ) __VA_ARGS__)

/// x for x > 0, else alpha (exp(x) - 1)   [Clevert et al. 2016; alpha = 1 in Xing 2019]
struct Elu {
  float alpha = 1;

  template <class T>
  NUCDET_HD T operator()(T x) const {
    // A sum of two parts, one of which is 0: no branch, so that compilers make vectors of it.
    const T negative = math::negative_part(x);
    return (x - negative) + static_cast<T>(alpha) * math::expm1(math::bounded_below(negative, T(83)));
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

/// x Phi(x) with the normal distribution function Phi, which is x (1 + erf(x / sqrt 2)) / 2 [Hendrycks and Gimpel
/// 2016].
struct Gelu {
  template <class T>
  NUCDET_HD T operator()(T x) const {
    return x * math::normal_cdf(x);
  }
  template <class T>
  NUCDET_HD T slope_at(T x) const {
    return math::normal_cdf(x) + math::clamp_magnitude(x, T(13)) * math::normal_density(x);
  }
};

/// x / (1 + exp(-x)), also called swish [Elfwing et al. 2018].
struct Silu {
  template <class T>
  NUCDET_HD T operator()(T x) const {
    return x * Sigmoid{}(x);
  }
  template <class T>
  NUCDET_HD T slope_at(T x) const {
    const T s = Sigmoid{}(x);
    return s * (T(1) + math::clamp_magnitude(x, T(87)) * (T(1) - s));
  }
};

/// No activation.
struct Same {
  template <class T>
  NUCDET_HD T operator()(T x) const {
    return x;
  }
  template <class T>
  NUCDET_HD T slope(T) const {
    return T(1);
  }
};

/// The slope at input x, however f has it.
template <class T, class F>
NUCDET_HD T slope_at(const F& f, T x) {
  if constexpr (SlopeOfInput<F>)
    return f.slope_at(x);
  else
    return f.slope(f(x));
}

/// An activation by its kind and its number: what layers hand to the ops before them.
struct Fused {
#define NUCDET_KIND(F, name) name,
  enum class Kind { none, NUCDET_ACTIVATIONS(NUCDET_KIND) };
#undef NUCDET_KIND
  Kind kind = Kind::none;
  float parameter = 0;  ///< ELU's alpha, leaky ReLU's negative slope, the scale; 0 where there is none

  template <class F>
  static constexpr Fused of(const F& f);
};

/// The kind of a functor, and a functor of a kind.
template <class F>
inline constexpr Fused::Kind kind_of = Fused::Kind::none;
#define NUCDET_KIND_OF(F, name) \
  template <>                   \
  inline constexpr Fused::Kind kind_of<F> = Fused::Kind::name;
NUCDET_ACTIVATIONS(NUCDET_KIND_OF)
#undef NUCDET_KIND_OF
template <class F>
NUCDET_HD constexpr F functor(float parameter) {
  if constexpr (std::is_empty_v<F>)
    return F{};
  else
    return F{parameter};
}

/// Kind::none for a functor that is not in the list: an op cannot take it in.
template <class F>
constexpr Fused Fused::of(const F& f) {
  if constexpr (kind_of<F> == Kind::none || std::is_empty_v<F>)
    return {kind_of<F>, 0};
  else
    return {kind_of<F>, __builtin_bit_cast(float, f)};
}

/// Calls body(functor) with the activation; false, and no call, if there is none.
template <class Body>
bool with_activation(const Fused& fused, const Body& body) {
  switch (fused.kind) {
#define NUCDET_CASE(F, name)           \
  case Fused::Kind::name:              \
    body(functor<F>(fused.parameter)); \
    return true;
    NUCDET_ACTIVATIONS(NUCDET_CASE)
#undef NUCDET_CASE
    case Fused::Kind::none:
      break;
  }
  return false;
}

/// "leaky_relu", and "none" for none.
constexpr const char* name_of(Fused::Kind kind) {
  switch (kind) {
#define NUCDET_NAME(F, name) \
  case Fused::Kind::name:    \
    return #name;
    NUCDET_ACTIVATIONS(NUCDET_NAME)
#undef NUCDET_NAME
    case Fused::Kind::none:
      break;
  }
  return "none";
}

}  // namespace nucdet::ops

#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>

#include "nucdet/core/rng.hpp"
#include "nucdet/core/shape.hpp"

/// How parameters start. Numbers are drawn on the host, each parameter from a stream of its own, named by its name.
namespace nucdet::nn {

/// Draws the numbers of a parameter, of which an output sums `fan_in`. `draws`: positions of the stream that a number
/// takes at most; number i starts at position i draws.
template <class I>
concept Initializer = std::default_initializable<I> && requires(const I& draw, RandomStream& random, Index fan_in) {
  { I::draws } -> std::convertible_to<std::uint64_t>;
  { draw(random, fan_in) } -> std::convertible_to<double>;
};

/// Normal with variance 2 / fan_in [He et al. 2015; ELU counts as ReLU].
struct HeNormal {
  static constexpr std::uint64_t draws = 2;
  double operator()(RandomStream& random, Index fan_in) const {
    return random.normal() * std::sqrt(2.0 / static_cast<double>(fan_in));
  }
};
/// Uniform in +-1 / sqrt(fan_in), PyTorch's default for convolutions.
struct KaimingUniform {
  static constexpr std::uint64_t draws = 1;
  double operator()(RandomStream& random, Index fan_in) const {
    return random.uniform(-1, 1) / std::sqrt(static_cast<double>(fan_in));
  }
};

/// An initialiser and its fan-in, without the type.
struct Init {
  std::uint64_t draws = 0;
  std::function<double(RandomStream&)> draw;

  static Init constant(double value) {
    return {0, [value](RandomStream&) { return value; }};
  }
  template <Initializer I = HeNormal>
  static Init of(Index fan_in) {
    return {I::draws, [fan_in](RandomStream& random) -> double { return I{}(random, fan_in); }};
  }
};

}  // namespace nucdet::nn

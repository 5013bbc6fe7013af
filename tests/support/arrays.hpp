#pragma once
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/rng.hpp"

/// Arrays for tests of ops: random numbers, and views whose pixels lie apart.
namespace nucdet_test {

using namespace nucdet;

inline std::vector<double> random_numbers(Index count, std::uint64_t stream) {
  RandomStream random{5, stream};
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (double& n : numbers) n = random.uniform(-1, 1);
  return numbers;
}

/// A tensor whose pixels lie apart: a slice of channels in a wider one with a border.
template <class T>
struct Strided {
  Tensor<Cpu> whole, part;
  Strided(Context<Cpu>& context, const Shape& s, const std::vector<double>& numbers)
      : whole(context.zeros({s.n, s.h + 2, s.w + 1, s.c + 3}, dtype_of<T>)),
        part(whole.window(1, 0, s.h, s.w).channels(2, s.c)) {
    const View<T> v = part.view<T>();
    std::size_t i = 0;
    for (Index n = 0; n < s.n; ++n)
      for (Index y = 0; y < s.h; ++y)
        for (Index x = 0; x < s.w; ++x)
          for (Index c = 0; c < s.c; ++c) v(n, y, x, c) = static_cast<T>(numbers.empty() ? 0.0 : numbers[i++]);
  }
};

/// The elements of a view in NHWC order.
template <class T>
std::vector<double> numbers_of(View<const T> v) {
  std::vector<double> numbers;
  for (Index n = 0; n < v.shape.n; ++n)
    for (Index y = 0; y < v.shape.h; ++y)
      for (Index x = 0; x < v.shape.w; ++x)
        for (Index c = 0; c < v.shape.c; ++c) numbers.push_back(static_cast<double>(v(n, y, x, c)));
  return numbers;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace nucdet_test

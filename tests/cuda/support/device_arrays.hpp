#pragma once
#include <cmath>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/nn/layer.hpp"

#include "support/arrays.hpp"

/// Tensors of a device with numbers from the host, and back.
namespace nucdet_test {

/// A tensor of element type T, rounded from the numbers.
template <class T, class D>
Tensor<D> on_device(Context<D>& context, const Shape& shape, const std::vector<double>& numbers) {
  std::vector<T> rounded;
  for (const double v : numbers) {
    if constexpr (std::is_same_v<T, double>)
      rounded.push_back(v);
    else
      rounded.push_back(static_cast<T>(static_cast<float>(v)));
  }
  Tensor<D> tensor = context.make(shape, dtype_of<T>);
  context.upload(tensor.memory(), rounded.data(), rounded.size() * sizeof(T));
  return tensor;
}

/// The elements of a dense tensor, as double.
template <class D>
std::vector<double> numbers_of(Context<D>& context, const Tensor<D>& tensor) {
  const std::size_t count = static_cast<std::size_t>(tensor.shape().count());
  if (!tensor.dense()) throw Error("numbers_of: the tensor is not dense");
  std::vector<double> numbers(count);
  nn::dispatch<D>(tensor.dtype(), [&]<class T>() {
    std::vector<T> raw(count);
    context.download(raw.data(), tensor.memory(), count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, double>)
        numbers[i] = raw[i];
      else
        numbers[i] = static_cast<double>(static_cast<float>(raw[i]));
    }
  });
  return numbers;
}

/// The largest |a - b|, relative to the largest |b|. Infinite for NaN or other sizes.
inline double difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0, largest = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return INFINITY;
    worst = std::max(worst, std::abs(a[i] - b[i])), largest = std::max(largest, std::abs(b[i]));
  }
  return worst / largest;
}

/// How far a GPU may be from the CPU, relative to the largest value (docs/numerics.md says why).
inline constexpr double kElementwise = 1e-6, kReduction = 1e-5, kConvolution = 1e-4, kHalf = 2e-2;

}  // namespace nucdet_test

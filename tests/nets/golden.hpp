#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "nucdet/io/weights.hpp"
#include "nucdet/nn/network.hpp"

/// Networks against the numbers that PyTorch left in a file (tests/golden).
namespace nucdet_test {

using namespace nucdet;

inline Tensor<Cpu> tensor_of(Context<Cpu>& context, const io::SafeTensor& stored, DType type) {
  const auto& s = stored.shape;
  auto tensor = context.make({s[0], s[1], s[2], s[3]}, type);
  nn::dispatch(type, [&]<class T>() {
    const std::vector<double> values = io::to_doubles(stored);
    std::transform(values.begin(), values.end(), tensor.template view<T>().data,
                   [](double v) { return static_cast<T>(v); });
  });
  return tensor;
}

/// Largest difference relative to the largest stored value.
template <class T>
double difference(const T* values, const std::vector<double>& stored) {
  double worst = 0, scale = 1e-12;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(values[i]) - stored[i]));
    scale = std::max(scale, std::abs(stored[i]));
  }
  return worst / scale;
}

}  // namespace nucdet_test

#pragma once
/// Tensors for benches on a GPU.
#include <vector>

#include "nucdet/nn/program.hpp"

namespace nucdet_bench {

using namespace nucdet;

/// Numbers in +-1, repeated after a million: products of zeros are quicker than others.
inline Tensor<Cuda> random_tensor(Context<Cuda>& context, const Shape& shape, DType type) {
  RandomStream random{1};
  const std::size_t count = static_cast<std::size_t>(shape.count()), kept = std::min(count, std::size_t{1} << 20);
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = i < kept ? static_cast<float>(random.uniform(-1, 1)) : numbers[i - kept];
  Tensor<Cuda> tensor = context.make(shape);
  context.upload(tensor.memory(), numbers.data(), count * sizeof(float));
  return nn::converted(context, tensor, type);
}

}  // namespace nucdet_bench

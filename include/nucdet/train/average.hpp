#pragma once
#include <algorithm>

#include "nucdet/nn/model.hpp"
#include "nucdet/optim/step.hpp"

namespace nucdet::train {

namespace detail {

/// mean += share (now - mean), element by element. Grid: optim::detail::blocks.
struct MoveAverage {
  float* mean;
  const float* now;
  Index size;
  float share;

  NUCDET_HD void operator()(const Tile& tile) const {
    const optim::detail::FlatRange range(tile, size);
    for (Index i = range.from; i < range.to; ++i) mean[i] += share * (now[i] - mean[i]);
  }
};

struct Exchange {
  float *a, *b;
  Index size;

  NUCDET_HD void operator()(const Tile& tile) const {
    const optim::detail::FlatRange range(tile, size);
    for (Index i = range.from; i < range.to; ++i) {
      const float kept = a[i];
      a[i] = b[i], b[i] = kept;
    }
  }
};

}  // namespace detail

/// An exponential moving average of a model's weights and running statistics. What it holds is validated and kept; the
/// weights themselves go on.
template <class Device>
class WeightAverage {
 public:
  /// decay: of the average a step keeps this share, of early steps less: (1 + t) / (10 + t).
  WeightAverage(nn::Model<Device>& model, double decay) : model_(model), decay_(decay) {
    for (Tensor<Device>* from : parts()) {
      Tensor<Device> copy = model.context().zeros(from->shape());
      run(detail::MoveAverage{data(copy), data(*from), from->shape().count(), 1.0f}, *from);
      average_.push_back(std::move(copy));
    }
  }

  /// After a step; `steps` are those taken before it.
  void update(std::int64_t steps) {
    const double t = static_cast<double>(steps), keep = std::min(decay_, (1 + t) / (10 + t));
    for (std::size_t k = 0; k < average_.size(); ++k)
      run(detail::MoveAverage{data(average_[k]), data(*parts()[k]), average_[k].shape().count(),
                              static_cast<float>(1 - keep)},
          average_[k]);
  }
  /// The average becomes the model's and the model's the average; once more undoes it.
  void exchange() {
    for (std::size_t k = 0; k < average_.size(); ++k)
      run(detail::Exchange{data(average_[k]), data(*parts()[k]), average_[k].shape().count()}, average_[k]);
  }
  /// The average's numbers, weights first.
  std::vector<float> numbers() const {
    std::vector<float> all;
    for (const Tensor<Device>& part : average_) {
      const std::size_t begin = all.size(), count = static_cast<std::size_t>(part.shape().count());
      all.resize(begin + count);
      model_.context().download(all.data() + begin, part.template view<const float>().data, count * sizeof(float));
    }
    return all;
  }
  /// Throws ShapeError for another count of numbers.
  void set_numbers(std::span<const float> numbers) {
    std::size_t begin = 0, wanted = 0;
    for (const Tensor<Device>& part : average_) wanted += static_cast<std::size_t>(part.shape().count());
    if (numbers.size() != wanted)
      throw ShapeError(message("WeightAverage: ", numbers.size(), " numbers, wanted ", wanted));
    for (Tensor<Device>& part : average_) {
      const std::size_t count = static_cast<std::size_t>(part.shape().count());
      model_.context().upload(data(part), numbers.data() + begin, count * sizeof(float));
      begin += count;
    }
  }

 private:
  std::array<Tensor<Device>*, 2> parts() const {
    return {&model_.parameters()->values(), &model_.parameters()->statistics()};
  }
  static float* data(Tensor<Device>& t) { return t.template view<float>().data; }
  template <class Kernel>
  void run(const Kernel& kernel, const Tensor<Device>& over) {
    parallel_for(model_.context(), optim::detail::blocks(static_cast<std::size_t>(over.shape().count())), kernel);
  }

  nn::Model<Device>& model_;
  double decay_;
  std::vector<Tensor<Device>> average_;
};

}  // namespace nucdet::train

#pragma once
#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <vector>

#include "nucdet/nn/model.hpp"
#include "nucdet/optim/average.hpp"

namespace nucdet::train {

namespace detail {
template <class Device>
std::span<float> span_of(Tensor<Device>& t) {
  return {t.template view<float>().data, static_cast<std::size_t>(t.shape().count())};
}
}  // namespace detail

/// An exponential moving average of a model's weights and running statistics. What it holds is validated and kept; the
/// weights themselves go on.
template <class Device>
class WeightAverage {
 public:
  /// decay: of the average a step keeps this share, of early steps less: (1 + t) / (10 + t).
  WeightAverage(nn::Model<Device>& model, double decay) : model_(model), decay_(decay) {
    for (Tensor<Device>* from : parts()) {
      average_.push_back(model.context().zeros(from->shape()));
      optim::move_average(model.context(), detail::span_of(average_.back()), detail::span_of(*from), 1);
    }
  }

  /// After a step; `steps` are those taken before it.
  void update(std::int64_t steps) {
    const double t = static_cast<double>(steps), keep = std::min(decay_, (1 + t) / (10 + t));
    for (std::size_t k = 0; k < average_.size(); ++k)
      optim::move_average(model_.context(), detail::span_of(average_[k]), detail::span_of(*parts()[k]), 1 - keep);
  }
  /// The average becomes the model's and the model's the average; once more undoes it.
  void exchange() {
    for (std::size_t k = 0; k < average_.size(); ++k)
      optim::exchange(model_.context(), detail::span_of(average_[k]), detail::span_of(*parts()[k]));
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
    optim::detail::check_sizes("WeightAverage", numbers.size(), wanted);
    for (Tensor<Device>& part : average_) {
      const std::span<float> to = detail::span_of(part);
      model_.context().upload(to.data(), numbers.data() + begin, to.size_bytes());
      begin += to.size();
    }
  }

 private:
  std::array<Tensor<Device>*, 2> parts() const {
    return {&model_.parameters()->values(), &model_.parameters()->statistics()};
  }

  nn::Model<Device>& model_;
  double decay_;
  std::vector<Tensor<Device>> average_;
};

/// The model holds the average while this lives, whatever is thrown. Nothing happens without an average.
template <class Device>
class AverageInPlace {
 public:
  explicit AverageInPlace(WeightAverage<Device>* average) : average_(average) {
    if (average_) average_->exchange();
  }
  /// A device that fails may be why this ends: then the first error is the one to hear.
  ~AverageInPlace() noexcept(false) {
    try {
      if (average_) average_->exchange();
    } catch (...) {
      if (std::uncaught_exceptions() == 0) throw;
    }
  }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;

 private:
  WeightAverage<Device>* average_;
};

}  // namespace nucdet::train

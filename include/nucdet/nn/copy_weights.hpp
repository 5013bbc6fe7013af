#pragma once
#include <algorithm>

#include "nucdet/nn/model.hpp"

namespace nucdet::nn {

/// Gives a model the parameters and running statistics of another: of another context, device or element type. Throws
/// ShapeError, naming the first parameter that differs, and changes nothing, unless both have the same ones.
template <class From, class To>
void copy_weights(const Model<From>& from, Model<To>& to) {
  const auto& source = *from.parameters();
  auto& target = *to.parameters();
  if (source.entries().size() != target.entries().size())
    throw ShapeError(
        message("copy_weights: ", source.entries().size(), " parameters for a network of ", target.entries().size()));
  for (std::size_t i = 0; i < target.entries().size(); ++i)
    if (source.entries()[i].name != target.entries()[i].name || source.entries()[i].shape != target.entries()[i].shape)
      throw ShapeError(message("copy_weights: parameter ", i, " is '", source.entries()[i].name, "', wanted '",
                               target.entries()[i].name, "' of the same shape"));
  const typename ParameterStore<From>::OnHost numbers(from.context(), source);
  typename ParameterStore<To>::OnHost copy(to.context(), target);
  dispatch(source.dtype(), [&]<class S>() {
    dispatch(target.dtype(), [&]<class T>() {
      for (std::size_t i = 0; i < target.entries().size(); ++i)
        std::transform(numbers.template value<S>(i), numbers.template value<S>(i) + target.entries()[i].count,
                       copy.template value<T>(i), [](S number) { return static_cast<T>(number); });
    });
  });
  copy.write_back(target);
}

}  // namespace nucdet::nn

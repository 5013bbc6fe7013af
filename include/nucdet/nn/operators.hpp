#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nucdet/core/transfer.hpp"
#include "nucdet/nn/map_type.hpp"
#include "nucdet/nn/parameters.hpp"

/// What layers write themselves to when a network leaves as a graph of ONNX's operators (Layer::write). Nothing of
/// ONNX's own files is seen here: nucdet::onnx has the graph that makes one.
namespace nucdet::nn {

/// A named setting of an operator.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

/// An input of a layer: the name of the map in the graph, and its channels.
struct OperatorInput {
  std::string name;
  Index channels = 0;
};

/// A graph of the operators of ONNX's domain "ai.onnx". Maps are [N, C, H, W] in it, with N, H and W known when it
/// runs; what is made of them is known by name.
class OperatorGraph {
 public:
  /// The set of operators that layers may use: 17 (ONNX 1.12, 2022).
  static constexpr int kOperatorSet = 17;

  OperatorGraph() = default;
  OperatorGraph(const OperatorGraph&) = delete;
  OperatorGraph& operator=(const OperatorGraph&) = delete;
  virtual ~OperatorGraph() = default;

  /// Adds an operator of one output, and returns the output's name. An empty input is one that is left out.
  virtual std::string add(std::string_view type, std::vector<std::string> inputs,
                          std::vector<Attribute> attributes = {}) = 0;
  /// Numbers that the graph holds: `role` ("weight") names them within the layer that is being written. A shape without
  /// extents is that of one number.
  virtual std::string numbers(std::string_view role, std::vector<std::int64_t> shape, std::vector<float> values) = 0;
  /// A list of whole numbers that the graph holds: sizes, axes.
  virtual std::string integers(std::vector<std::int64_t> values) = 0;

  std::string number(float value) { return numbers("number", {}, {value}); }
};

/// The numbers of a parameter, in the host's memory; none if it is not there.
template <class D>
std::vector<float> numbers_of(Context<D>& context, const Parameter<D>& parameter) {
  std::vector<float> numbers;
  if (parameter.store == nullptr) return numbers;
  const typename ParameterStore<D>::OnHost host(context, *parameter.store);
  dispatch<Cpu>(parameter.store->dtype(), [&]<class T>() {
    const T* const first = host.template value<T>(parameter.entry);
    for (Index i = 0; i < parameter.count(); ++i) numbers.push_back(static_cast<float>(first[i]));
  });
  return numbers;
}

/// Those of a dense tensor.
template <class D>
std::vector<float> numbers_of(Context<D>& context, const Tensor<D>& tensor) {
  std::vector<float> numbers;
  const Tensor<Cpu> host = to_host(context, tensor);
  dispatch<Cpu>(host.dtype(), [&]<class T>() {
    const T* const first = host.template view<const T>().data;
    for (Index i = 0; i < host.shape().count(); ++i) numbers.push_back(static_cast<float>(first[i]));
  });
  return numbers;
}

}  // namespace nucdet::nn

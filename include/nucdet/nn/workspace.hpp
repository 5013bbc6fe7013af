#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "nucdet/core/tensor.hpp"
#include "nucdet/nn/plan.hpp"

namespace nucdet::nn {

template <class Device>
class Program;

/// What passes of a program work in: plans of the shapes seen lately, and the values of the slots. A program changes
/// nothing of itself when it runs, so that any number of threads may run one, each in a workspace of its own.
/// A shape that was seen before costs no allocation but that of its maps. One thread at a time; may be moved.
template <class Device>
class Workspace {
 public:
  /// What the last pass put out, in the order of Program::outputs; the next pass drops it.
  const std::vector<Tensor<Device>>& outputs() const { return outputs_; }

 private:
  friend class Program<Device>;

  /// Shapes to keep plans of: tiles at an image's edges have a few.
  static constexpr std::size_t kMostPlans = 8;

  std::uint64_t program_ = 0;  ///< whose plans these are
  std::vector<std::unique_ptr<const Plan>> plans_;
  std::vector<Tensor<Device>> values_, inputs_, outputs_;
  std::vector<char> needs_gradient_;
};

}  // namespace nucdet::nn

#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "nucdet/core/ranks.hpp"
#include "nucdet/core/tensor.hpp"

namespace nucdet::nn {

/// Which gradients the backward pass of a step must make.
struct Wanted {
  bool inputs = true, parameters = true;
  bool bias = true;  ///< of the parameters also the bias, if there is one; false: its gradient is 0
};

/// What the forward pass leaves for the backward pass: last in, first out. Layers hold no activations themselves.
template <class Device>
class Tape {
 public:
  void save(Tensor<Device> tensor) { tensors_.push_back(std::move(tensor)); }
  Tensor<Device> take() {
    if (tensors_.empty()) throw Error("Tape: a layer takes more tensors than it saved");
    Tensor<Device> last = std::move(tensors_.back());
    tensors_.pop_back();
    return last;
  }
  void save_number(std::uint64_t number) { numbers_.push_back(number); }
  std::uint64_t take_number() {
    if (numbers_.empty()) throw Error("Tape: a layer takes more numbers than it saved");
    const std::uint64_t last = numbers_.back();
    numbers_.pop_back();
    return last;
  }
  /// Where the device holds a number that a step drew with (Pass::draw); null if there is none.
  void save_draw(const std::uint64_t* draw) { draws_.push_back(draw); }
  const std::uint64_t* take_draw() {
    if (draws_.empty()) throw Error("Tape: a layer takes more draws than it saved");
    const std::uint64_t* const last = draws_.back();
    draws_.pop_back();
    return last;
  }
  /// How much is saved: a step must take exactly what it put.
  std::size_t size() const { return tensors_.size() + numbers_.size() + draws_.size(); }
  bool empty() const { return size() == 0; }
  void clear() { tensors_.clear(), numbers_.clear(), draws_.clear(), marks.clear(); }

  /// Those that train together, or null: this process alone.
  Ranks* ranks = nullptr;
  bool joint_statistics = true;  ///< whether statistics of a batch are of all ranks' batches, or of each rank's own

  /// Called after each step of the backward pass: of the parameters' gradients, those from this place in their buffer
  /// on are final. That place never rises, and is 0 in the end.
  std::function<void(Index final_from)> on_final;

  /// Kept by Program, one for each taped step: the step, what was saved before it, and what backward must make.
  struct Mark {
    std::size_t step = 0, tensors = 0, numbers = 0, draws = 0;
    Wanted wanted{};
    Index gradients_end = 0;  ///< of all gradients that it and the steps before it make

    std::size_t size() const { return tensors + numbers + draws; }
  };
  std::vector<Mark> marks;
  /// gradients_end: where those of the step's parameters end in their buffer.
  void mark(std::size_t step, Wanted wanted, Index gradients_end) {
    const Index end = std::max(still_to_come(), wanted.parameters ? gradients_end : 0);
    marks.push_back({step, tensors_.size(), numbers_.size(), draws_.size(), wanted, end});
  }
  /// The last step has made its gradients.
  void finish_mark() {
    marks.pop_back();
    if (on_final) on_final(still_to_come());
  }
  /// Forgets what was saved since.
  void drop_to(const Mark& mark) {
    tensors_.resize(mark.tensors), numbers_.resize(mark.numbers), draws_.resize(mark.draws);
  }

 private:
  /// Where the gradients end that the marked steps make, whatever the order of steps and parameters, and however many
  /// steps share one.
  Index still_to_come() const { return marks.empty() ? 0 : marks.back().gradients_end; }

  std::vector<Tensor<Device>> tensors_;
  std::vector<std::uint64_t> numbers_;
  std::vector<const std::uint64_t*> draws_;
};

}  // namespace nucdet::nn

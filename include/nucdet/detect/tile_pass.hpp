#pragma once
#include <algorithm>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/nn/passes.hpp"

namespace nucdet::detect {

/// Tiles that are worked on alike: their shape, and where in it the maps are wanted (empty: everywhere).
struct TileShape {
  Shape input;
  Rectangle wanted{};

  friend bool operator==(const TileShape&, const TileShape&) = default;
};

/// A network on tiles of one shape, and what it works in. One thread at a time.
template <class Device>
class TilePass {
 public:
  using Network = std::shared_ptr<const nn::InferenceProgram<Device>>;

  TilePass(Context<Device>& context, Network network, const TileShape& shape)
      : network_(std::move(network)),
        shape_(shape),
        input_(context.make(shape.input)),
        work_(context,
              [this, &context] { network_->program.forward(context, workspace_, input_, {}, shape_.wanted); }) {}

  TilePass(const TilePass&) = delete;  // what works refers to it
  TilePass& operator=(const TilePass&) = delete;

  const TileShape& shape() const { return shape_; }
  Tensor<Device>& input() { return input_; }
  /// The maps for what the input holds: of the CPU new ones each time, of a GPU valid until the next run.
  const std::vector<Tensor<Device>>& run() {
    work_.run();
    return workspace_.outputs();
  }
  /// What the last run gave.
  const std::vector<Tensor<Device>>& outputs() const { return workspace_.outputs(); }
  /// Takes another shape, where that costs nothing: a GPU prepares for one, the CPU has nothing to prepare.
  bool reshape(Context<Device>& context, const TileShape& shape) {
    if (shape_ == shape) return true;
    if constexpr (!std::is_same_v<Device, Cpu>) return false;
    if (shape_.input != shape.input) {
      shape_ = {};  // while there is no input: where memory fails, the next call makes one
      input_ = Tensor<Device>();
      input_ = context.make(shape.input);
    }
    shape_ = shape;
    return true;
  }

 private:
  Network network_;
  TileShape shape_;
  Tensor<Device> input_;
  nn::Workspace<Device> workspace_;
  CapturedWork<Device> work_;
};

/// The passes of a detector that nobody works in just now. Thread-safe.
template <class Device>
class PassPool {
 public:
  /// A pass that is the caller's until this goes.
  class Lease {
   public:
    Lease(PassPool& pool, std::unique_ptr<TilePass<Device>> pass) : pool_(&pool), pass_(std::move(pass)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (pass_) pool_->give(std::move(pass_));
    }
    TilePass<Device>& operator*() const { return *pass_; }
    TilePass<Device>* operator->() const { return pass_.get(); }

   private:
    PassPool* pool_;
    std::unique_ptr<TilePass<Device>> pass_;
  };

  Lease take(Context<Device>& context, const typename TilePass<Device>::Network& network, const TileShape& shape) {
    {
      const std::lock_guard lock(mutex_);
      // The one used last has the warmest memory, and one of this shape needs none.
      for (const bool as_it_is : {true, false})
        for (auto pass = idle_.rbegin(); pass != idle_.rend(); ++pass) {
          if (as_it_is ? (*pass)->shape() != shape : !(*pass)->reshape(context, shape)) continue;
          std::unique_ptr<TilePass<Device>> taken = std::move(*pass);
          idle_.erase(std::next(pass).base());
          return {*this, std::move(taken)};
        }
    }
    return {*this, std::make_unique<TilePass<Device>>(context, network, shape)};
  }

 private:
  /// Passes that are kept: a GPU prepares each for a shape, of which tiles have a few; the CPU's serve any shape, and
  /// there are as many as threads were at work.
  static constexpr std::size_t kMost = std::is_same_v<Device, Cpu> ? 64 : 4;

  void give(std::unique_ptr<TilePass<Device>> pass) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() == kMost) idle_.erase(idle_.begin());
    idle_.push_back(std::move(pass));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<TilePass<Device>>> idle_;
};

}  // namespace nucdet::detect

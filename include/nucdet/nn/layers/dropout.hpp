#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/number.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/dropout.hpp"

namespace nucdet::nn {

/// What dropout zeroes: each element by itself, or whole channels of an image.
enum class Dropping { elements, channels };

/// Zeroes elements or channels with probability `rate` while training, and scales the others by 1 / (1 - rate). The
/// mask is drawn again in the backward pass, not stored.
template <Dropping What, class D>
class DropoutLayer final : public Layer<D> {
 public:
  explicit DropoutLayer(float rate) : rate_(rate) {}

  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    const std::uint64_t stream = (static_cast<std::uint64_t>(pass.iteration) << 16) + pass.step;
    const bool drops = pass.mode == Mode::training;
    run(context, x[0], {context.seed(), stream}, drops, pass.draw, pass.tape, y);
    if (pass.tape == nullptr) return;
    pass.tape->save_number(stream), pass.tape->save_number(drops ? 1 : 0);
    pass.tape->save_draw(pass.draw);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    const bool drops = tape.take_number() != 0;
    const std::uint64_t* const draw = tape.take_draw();
    const std::uint64_t stream = tape.take_number();
    if (!wanted.inputs) return {};
    if (!drops) return {dy};
    std::vector<Tensor<D>> dx{context.make(dy.shape(), dy.dtype())};
    run(context, dy, {context.seed(), stream}, true, draw, &tape, dx[0]);
    return dx;
  }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return Extent::in_place(in); }
  std::string describe() const override {
    return message(What == Dropping::channels ? "ChannelDropout " : "Dropout ", rate_);
  }
  std::string write(Context<D>&, OperatorGraph&, std::span<const OperatorInput> x) const override { return x[0].name; }
  bool is_identity_in_inference() const override { return true; }

 private:
  void run(Context<D>& context, const Tensor<D>& x, Philox random, bool drops, const std::uint64_t* draw,
           const Tape<D>* tape, Tensor<D>& y) const {
    const Index before = tape != nullptr && tape->ranks != nullptr ? tape->ranks->rank() * x.shape().n : 0;
    dispatch<D>(y.dtype(), [&]<class T>() {
      if (!drops)
        ops::copy<T>(context, x.template view<const T>(), y.template view<T>());
      else if constexpr (What == Dropping::channels)
        ops::channel_dropout<T>(context, x.template view<const T>(), rate_, random, y.template view<T>(), draw, before);
      else
        ops::dropout<T>(context, x.template view<const T>(), rate_, random, y.template view<T>(), draw, before);
    });
  }
  float rate_;
};

/// Dropout; a rate of 0 makes no step at all.
template <Dropping What, Number Rate>
struct DropoutOf : Leaf<DropoutOf<What, Rate>> {
  static constexpr std::string_view role = "dropout";
  static constexpr Diagnosis check(std::span<const Slot>) {
    return {Rate.value() >= 0 && Rate.value() < 1 ? Problem::none : Problem::bad_setting};
  }
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    if constexpr (Rate == Number(0))
      return in[0];
    else
      return b.template add<DropoutOf>(in);
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<DropoutLayer<What, D>>(Rate.single());
  }
};
/// Elements by themselves [Srivastava et al. 2014], and whole channels [Tompson et al. 2015].
template <Number Rate>
struct Dropout : DropoutOf<Dropping::elements, Rate> {};
template <Number Rate>
struct ChannelDropout : DropoutOf<Dropping::channels, Rate> {};

}  // namespace nucdet::nn

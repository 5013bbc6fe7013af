#pragma once
#include <memory>

#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/match_size.hpp"

namespace nucdet::nn {

/// Reference input of a combination without size matching: all inputs must have the same height and width.
inline constexpr int kEqualSizes = -1;

/// Shared by Add and Concat: the output has the size of one input, and the others are zero-padded or cropped to it,
/// centred (floor of the difference before), as in the paper's up-sampling path.
template <class D>
class CombineLayer : public Layer<D> {
 public:
  CombineLayer(int reference, const char* name) : reference_(reference), name_(name) {}

  Extent extent(std::span<const Extent> in, std::span<const Shape> shapes) const override {
    const Shape& size = reference(shapes);
    Extent all{in[static_cast<std::size_t>(std::max(reference_, 0))].scale, kNowhere, -kNowhere};
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!this->reads(i)) continue;
      const double shift_y = in[i].scale * static_cast<double>(ops::rows_before(shapes[i].h, size.h));
      const double shift_x = in[i].scale * static_cast<double>(ops::rows_before(shapes[i].w, size.w));
      all.low = std::min(all.low, in[i].low - std::max(shift_y, shift_x));
      all.high = std::max(all.high, in[i].high - std::min(shift_y, shift_x));
    }
    return all;
  }

 protected:
  const Shape& reference(std::span<const Shape> in) const {
    const Shape& size = in[static_cast<std::size_t>(std::max(reference_, 0))];
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i].n != size.n || (reference_ == kEqualSizes && (in[i].h != size.h || in[i].w != size.w)))
        throw ShapeError(message(name_, ": input ", i, " is ", in[i], " but input 0 is ", in[0]));
    return size;
  }
  /// dy cut or padded to the size an input had.
  Tensor<D> gradient_of(Context<D>& context, const Tensor<D>& dy, Index h, Index w) const {
    const Shape s = dy.shape();
    if (h == s.h && w == s.w) return dy;
    if (h <= s.h && w <= s.w) return dy.window(ops::rows_before(h, s.h), ops::rows_before(w, s.w), h, w);
    Tensor<D> dx = context.make({s.n, h, w, s.c}, dy.dtype());
    dispatch<D>(dy.dtype(),
                [&]<class T>() { ops::match_size<T>(context, dy.template view<const T>(), dx.template view<T>()); });
    return dx;
  }
  static void save_sizes(Inputs<D> x, Tape<D>* tape) {
    if (tape == nullptr) return;
    for (const auto& input : x) {
      const Shape& s = input.shape();
      tape->save_number(static_cast<std::uint64_t>(s.h)), tape->save_number(static_cast<std::uint64_t>(s.w));
    }
  }

  int reference_;
  const char* name_;

 private:
  static constexpr double kNowhere = 1e30;
};

/// The sum of its inputs.
template <class D>
class AddLayer final : public CombineLayer<D> {
 public:
  AddLayer(int reference, std::size_t inputs) : CombineLayer<D>(reference, "Add"), inputs_(inputs) {}

  bool matches_sizes() const { return this->reference_ != kEqualSizes; }

  Shape output_shape(std::span<const Shape> in) const override { return this->reference(in); }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      std::vector<Tensor<D>> matched;
      std::vector<View<const T>> terms;
      for (const auto& input : x) {
        matched.push_back(input);
        if (input.shape() != y.shape()) {
          matched.back() = context.make(y.shape(), y.dtype());
          ops::match_size<T>(context, input.template view<const T>(), matched.back().template view<T>());
        }
        terms.push_back(std::as_const(matched.back()).template view<const T>());
      }
      ops::add<T>(context, std::span<const View<const T>>(terms), y.template view<T>());
    });
    this->save_sizes(x, pass.tape);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    std::vector<Tensor<D>> dx(inputs_);
    for (std::size_t i = inputs_; i-- > 0;) {
      const Index w = static_cast<Index>(tape.take_number()), h = static_cast<Index>(tape.take_number());
      if (wanted.inputs) dx[i] = this->gradient_of(context, dy, h, w);
    }
    if (!wanted.inputs) dx.clear();
    return dx;
  }
  std::string describe() const override { return "Add"; }

 private:
  std::size_t inputs_;
};

/// Its inputs side by side in the channels. Program lets producers write straight into their slice where that saves
/// memory. An input of 0 channels gives its size only, and gets no gradient.
template <class D>
class ConcatLayer final : public CombineLayer<D> {
 public:
  ConcatLayer(int reference, std::vector<Index> channels, const char* name = "Concat")
      : CombineLayer<D>(reference, name), channels_(std::move(channels)) {}

  Shape output_shape(std::span<const Shape> in) const override {
    Shape y = this->reference(in);
    y.c = 0;
    for (const Index c : channels_) y.c += c;
    return y;
  }
  bool reads(std::size_t input) const override { return channels_[input] > 0; }
  bool can_place(std::span<const Shape> in, std::size_t input) const override {
    const Shape& size = this->reference(in);
    return channels_[input] > 0 && in[input].h <= size.h && in[input].w <= size.w;  // else it must be cropped
  }
  Tensor<D> place(const Tensor<D>& y, std::size_t input, Index h, Index w) const override {
    const Index first = first_channel(input);
    const Index top = ops::rows_before(h, y.shape().h), left = ops::rows_before(w, y.shape().w);
    return y.channels(first, channels_[input]).window(top, left, h, w);
  }
  void forward(Context<D>& context, Inputs<D> x, Tensor<D>& y, const Pass<D>& pass) const override {
    dispatch<D>(y.dtype(), [&]<class T>() {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (channels_[i] == 0) continue;
        const Shape& s = x[i].shape();
        Tensor<D> slice = y.channels(first_channel(i), channels_[i]);
        const auto in = x[i].template view<const T>();
        if (in.data == own_pixels<T>(y, i, s))
          clear_border<T>(context, slice, s.h, s.w);
        else
          ops::match_size<T>(context, in, slice.template view<T>());
      }
    });
    this->save_sizes(x, pass.tape);
  }
  std::vector<Tensor<D>> backward(Context<D>& context, const Tensor<D>& dy, Tape<D>& tape,
                                  Wanted wanted) const override {
    std::vector<Tensor<D>> dx(channels_.size());
    for (std::size_t i = dx.size(); i-- > 0;) {
      const Index w = static_cast<Index>(tape.take_number()), h = static_cast<Index>(tape.take_number());
      if (wanted.inputs && channels_[i] > 0)
        dx[i] = this->gradient_of(context, dy.channels(first_channel(i), channels_[i]), h, w);
    }
    if (!wanted.inputs) dx.clear();
    return dx;
  }
  std::string describe() const override { return this->name_; }

 private:
  /// Where input i would lie if its producer had written it in place.
  template <class T>
  const T* own_pixels(const Tensor<D>& y, std::size_t input, const Shape& s) const {
    if (s.h > y.shape().h || s.w > y.shape().w) return nullptr;
    return static_cast<const Tensor<D>>(place(y, input, s.h, s.w)).template view<const T>().data;
  }
  Index first_channel(std::size_t input) const {
    Index first = 0;
    for (std::size_t i = 0; i < input; ++i) first += channels_[i];
    return first;
  }
  /// Zeros around the h x w pixels that the producer wrote in place.
  template <class T>
  void clear_border(Context<D>& context, Tensor<D>& slice, Index h, Index w) const {
    const Index height = slice.shape().h, width = slice.shape().w;
    const Index top = ops::rows_before(h, height), left = ops::rows_before(w, width);
    const auto clear = [&](Index y, Index x, Index rows, Index columns) {
      if (rows > 0 && columns > 0) ops::fill<T>(context, T(0), slice.window(y, x, rows, columns).template view<T>());
    };
    clear(0, 0, top, width), clear(top + h, 0, height - top - h, width);
    clear(top, 0, h, left), clear(top, left + w, h, width - left - w);
  }
  std::vector<Index> channels_;
};

template <int Reference>
struct AddOp : Leaf<AddOp<Reference>> {
  static constexpr std::string_view role = "add";
  static constexpr int inputs = 0;
  static constexpr bool equal_channels = true;
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<AddLayer<D>>(Reference, in.size());
  }
};
template <int Reference>
struct ConcatOp : Leaf<ConcatOp<Reference>> {
  static constexpr std::string_view role = "concat";
  static constexpr int inputs = 0;
  static constexpr int channels(std::span<const Slot> in) {
    int sum = 0;
    for (const Slot& s : in) sum += s.channels;
    return sum;
  }
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    std::vector<Index> channels;
    for (const Slot& s : in) channels.push_back(s.channels);
    return std::make_unique<ConcatLayer<D>>(Reference, std::move(channels));
  }
};

/// Input 0 at the height and width of input 1, of which nothing else is read.
struct MatchOp : Leaf<MatchOp> {
  static constexpr std::string_view role = "match";
  static constexpr int inputs = 2;
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot> in) {
    return std::make_unique<ConcatLayer<D>>(1, std::vector<Index>{in[0].channels, 0}, "MatchSize");
  }
};

/// Branches of equal size, added. AddTo<k>: brought to the size of branch k first.
template <Spec... Branches>
struct Add : Join<AddOp<kEqualSizes>, Branches...> {};
template <int Reference, Spec... Branches>
struct AddTo : Join<AddOp<Reference>, Branches...> {};
/// Branches of equal size, side by side in the channels. ConcatTo<k>: brought to the size of branch k first.
template <Spec... Branches>
struct Concat : Join<ConcatOp<kEqualSizes>, Branches...> {};
template <int Reference, Spec... Branches>
struct ConcatTo : Join<ConcatOp<Reference>, Branches...> {};
/// What S makes of input 0, zero-padded or cropped to the size of input 1.
template <Spec S>
struct MatchTo : Join<MatchOp, S, Identity> {};
/// x + F(x).
template <Spec... Specs>
struct Residual : Join<AddOp<kEqualSizes>, Identity, Sequential<Specs...>> {};

}  // namespace nucdet::nn

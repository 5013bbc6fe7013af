#pragma once
#include <memory>

#include "nucdet/nn/layers/combine.hpp"
#include "nucdet/ops/add.hpp"

namespace nucdet::nn {

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
  std::vector<Index> as_concatenation() const override {
    const bool all =
        channels_.size() > 1 && std::all_of(channels_.begin(), channels_.end(), [](Index c) { return c > 0; });
    return all ? channels_ : std::vector<Index>{};
  }
  std::string describe() const override { return this->name_; }
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (channels_[i] > 0) parts.push_back(this->write_matched(graph, x, i));
    return parts.size() == 1 ? parts[0] : graph.add("Concat", std::move(parts), {{"axis", std::int64_t{1}}});
  }

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
struct ConcatOp : Leaf<ConcatOp<Reference>> {
  static constexpr std::string_view role = "concat";
  static constexpr int inputs = 0;
  static constexpr Diagnosis check(std::span<const Slot> in) { return detail::check_reference(Reference, in.size()); }
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

/// Branches of equal size, side by side in the channels. ConcatTo<k>: brought to the size of branch k first.
template <Spec... Branches>
struct Concat : Join<ConcatOp<kEqualSizes>, Branches...> {};
template <int Reference, Spec... Branches>
struct ConcatTo : Join<ConcatOp<Reference>, Branches...> {};
/// What S makes of input 0, zero-padded or cropped to the size of input 1.
template <Spec S>
struct MatchTo : Join<MatchOp, S, Identity> {};

}  // namespace nucdet::nn

#pragma once
#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/layer.hpp"
#include "nucdet/nn/operator_forms.hpp"
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
    Extent all{
        .scale = in[static_cast<std::size_t>(std::max(reference_, 0))].scale, .low = kNowhere, .high = -kNowhere};
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!this->reads(i)) continue;
      const double shift_y = in[i].scale * static_cast<double>(ops::rows_before(shapes[i].h, size.h));
      const double shift_x = in[i].scale * static_cast<double>(ops::rows_before(shapes[i].w, size.w));
      // A scale that is more than an axis's own must not be credited: then a shift only adds.
      const double most = in[i].even ? std::max(shift_y, shift_x) : std::max({shift_y, shift_x, 0.0}),
                   least = in[i].even ? std::min(shift_y, shift_x) : std::min({shift_y, shift_x, 0.0});
      all.low = std::min(all.low, in[i].low - most), all.high = std::max(all.high, in[i].high - least);
      all.even = all.even && in[i].even;
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
  /// Input i in a graph of operators, at the output's size.
  std::string write_matched(OperatorGraph& graph, std::span<const OperatorInput> x, std::size_t i) const {
    const std::size_t reference = static_cast<std::size_t>(std::max(reference_, 0));
    if (reference_ == kEqualSizes || i == reference) return x[i].name;
    return write_match(graph, x[i].name, x[reference].name);
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

namespace detail {
constexpr Diagnosis check_reference(int reference, std::size_t branches) {
  if (reference >= kEqualSizes && reference < static_cast<int>(branches)) return {};
  return {.problem = Problem::no_such_branch, .expected = static_cast<int>(branches) - 1, .got = reference};
}
}  // namespace detail

}  // namespace nucdet::nn

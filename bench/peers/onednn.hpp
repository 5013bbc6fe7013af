#pragma once
/// One pass of a convolution in oneDNN 2, on numbers that both sides share.
#include <cmath>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "nucdet/ops/conv2d_problem.hpp"

namespace nucdet_bench {

using nucdet::Index;
using nucdet::Shape;
using nucdet::ops::Conv2dProblem;

/// forward: large to small, transposed: small to large, both with bias and ELU; data and weights: the two gradients.
enum class Pass { forward, transposed, data, weights };
inline const char* name_of(Pass pass) {
  constexpr const char* kNames[] = {"forward", "transposed", "data gradient", "weight gradient"};
  return kNames[static_cast<int>(pass)];
}

/// The same numbers for both sides, in our layouts. What a pass gives is empty.
struct Numbers {
  std::vector<float> large, small, weight, bias;

  Numbers(Pass pass, const Conv2dProblem& p) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<float>& values, Index count, float scale) {
      values.resize(static_cast<std::size_t>(count));
      for (float& v : values) v = scale * normal(random);
    };
    const bool to_large = pass == Pass::transposed || pass == Pass::data;
    if (!to_large) fill(large, p.large.count(), 1.0f);
    if (pass != Pass::forward) fill(small, p.small.count(), 1.0f);
    const Index depth = to_large ? p.small.c : p.large.c;
    if (pass != Pass::weights)
      fill(weight, p.weights(), std::sqrt(2.0f / static_cast<float>(p.kernel.count() * depth)));
    fill(bias, to_large ? p.large.c : p.small.c, 0.1f);
  }
};

class OneDnn {
 public:
  OneDnn(Pass pass, const Conv2dProblem& p, Numbers& numbers) : p_(p) {
    switch (pass) {
      case Pass::forward:
        forward(numbers);
        break;
      case Pass::transposed:
        transposed(numbers);
        break;
      case Pass::data:
        data_gradient(numbers);
        break;
      case Pass::weights:
        weight_gradient(numbers);
        break;
    }
  }

  void run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  const std::string& implementation() const { return implementation_; }

  /// In our layout.
  std::vector<float> result() {
    std::vector<float> values(dense_.get_size() / sizeof(float));
    dnnl::memory dense(dense_, engine_, values.data());
    dnnl::reorder(output_, dense).execute(stream_, output_, dense);
    stream_.wait();
    return values;
  }

 private:
  using Forward = dnnl::convolution_forward;
  using BackwardData = dnnl::convolution_backward_data;
  using BackwardWeights = dnnl::convolution_backward_weights;
  using Deconvolution = dnnl::deconvolution_forward;
  using Desc = dnnl::memory::desc;
  using Tag = dnnl::memory::format_tag;

  static constexpr auto kAuto = dnnl::algorithm::convolution_auto;

  void forward(Numbers& numbers) {
    const Forward::desc what(dnnl::prop_kind::forward_inference, kAuto, any(large()), any(weight()), vector(p_.small.c),
                             any(small()), strides(), padding(), padding_after());
    const Forward::primitive_desc how(what, elu(), engine_);
    take(how);
    input(DNNL_ARG_SRC, numbers.large, large(), how.src_desc());
    input(DNNL_ARG_WEIGHTS, numbers.weight, weight(), how.weights_desc());
    input(DNNL_ARG_BIAS, numbers.bias, vector(p_.small.c), how.bias_desc());
    output(DNNL_ARG_DST, small(), how.dst_desc());
  }
  void transposed(Numbers& numbers) {
    const Desc weight({p_.large.c, p_.small.c, p_.kernel.y, p_.kernel.x}, dnnl::memory::data_type::f32, Tag::ihwo);
    const Deconvolution::desc what(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                                   any(small()), any(weight), vector(p_.large.c), any(large()), strides(), padding(),
                                   padding_after());
    const Deconvolution::primitive_desc how(what, elu(), engine_);
    take(how);
    input(DNNL_ARG_SRC, numbers.small, small(), how.src_desc());
    input(DNNL_ARG_WEIGHTS, numbers.weight, weight, how.weights_desc());
    input(DNNL_ARG_BIAS, numbers.bias, vector(p_.large.c), how.bias_desc());
    output(DNNL_ARG_DST, large(), how.dst_desc());
  }
  void data_gradient(Numbers& numbers) {
    const BackwardData::desc what(kAuto, any(large()), any(weight()), any(small()), strides(), padding(),
                                  padding_after());
    const BackwardData::primitive_desc how(what, engine_, trained_forward());
    take(how);
    input(DNNL_ARG_DIFF_DST, numbers.small, small(), how.diff_dst_desc());
    input(DNNL_ARG_WEIGHTS, numbers.weight, weight(), how.weights_desc());
    output(DNNL_ARG_DIFF_SRC, large(), how.diff_src_desc());
  }
  void weight_gradient(Numbers& numbers) {
    const BackwardWeights::desc what(kAuto, any(large()), any(weight()), any(small()), strides(), padding(),
                                     padding_after());
    const BackwardWeights::primitive_desc how(what, engine_, trained_forward());
    take(how);
    input(DNNL_ARG_SRC, numbers.large, large(), how.src_desc());
    input(DNNL_ARG_DIFF_DST, numbers.small, small(), how.diff_dst_desc());
    output(DNNL_ARG_DIFF_WEIGHTS, weight(), how.diff_weights_desc());
  }
  /// What the gradients belong to.
  Forward::primitive_desc trained_forward() const {
    return {{dnnl::prop_kind::forward_training, kAuto, any(large()), any(weight()), any(small()), strides(), padding(),
             padding_after()},
            engine_};
  }

  /// Our layouts.
  Desc large() const { return image(p_.large); }
  Desc small() const { return image(p_.small); }
  Desc weight() const {
    return {{p_.small.c, p_.large.c, p_.kernel.y, p_.kernel.x}, dnnl::memory::data_type::f32, Tag::ohwi};
  }
  static Desc image(const Shape& s) { return {{s.n, s.c, s.h, s.w}, dnnl::memory::data_type::f32, Tag::nhwc}; }
  static Desc vector(Index count) { return {{count}, dnnl::memory::data_type::f32, Tag::x}; }
  /// The layout that oneDNN prefers.
  static Desc any(const Desc& dense) { return {dense.dims(), dense.data_type(), Tag::any}; }

  dnnl::memory::dims strides() const { return {p_.stride.y, p_.stride.x}; }
  dnnl::memory::dims padding() const { return {p_.pad.y, p_.pad.x}; }
  dnnl::memory::dims padding_after() const {
    return {(p_.small.h - 1) * p_.stride.y + p_.kernel.y - p_.pad.y - p_.large.h,
            (p_.small.w - 1) * p_.stride.x + p_.kernel.x - p_.pad.x - p_.large.w};
  }
  static dnnl::primitive_attr elu() {
    dnnl::post_ops elu;
    elu.append_eltwise(1.0f, dnnl::algorithm::eltwise_elu, 1.0f, 0.0f);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(elu);
    return attributes;
  }

  void take(const dnnl::primitive_desc& how) {
    primitive_ = dnnl::primitive(how);
    implementation_ = how.impl_info_str();
  }
  void input(int argument, std::vector<float>& values, const Desc& ours, const Desc& theirs) {
    dnnl::memory from(ours, engine_, values.data()), own(theirs, engine_);
    dnnl::reorder(from, own).execute(stream_, from, own);
    stream_.wait();
    arguments_.emplace(argument, own);
  }
  void output(int argument, const Desc& ours, const Desc& theirs) {
    dense_ = ours, output_ = dnnl::memory(theirs, engine_);
    arguments_.emplace(argument, output_);
  }

  Conv2dProblem p_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::string implementation_;
  Desc dense_;
  dnnl::memory output_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace nucdet_bench

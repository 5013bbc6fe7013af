#include "convolution_graph.hpp"

#include <algorithm>

namespace nucdet::cuda {

namespace {

cudnnDataType_t data_type(DType type) {
  switch (type) {
    case DType::f32:
      return CUDNN_DATA_FLOAT;
    case DType::bf16:
      return CUDNN_DATA_BFLOAT16;
    case DType::f16:
      return CUDNN_DATA_HALF;
    case DType::f64:
      return CUDNN_DATA_DOUBLE;
  }
  return CUDNN_DATA_FLOAT;
}

/// A request's own alignment if it names one, else the largest power of two that divides all steps between pixels.
Index alignment_of(const TensorText& tensor, Index wanted) {
  if (wanted > 0) return std::min(wanted, kMostAlignment);
  const auto bytes = static_cast<Index>(size_of(tensor.type));
  Index all = kMostAlignment | tensor.dims[1] * bytes;
  for (const std::size_t axis : {0u, 2u, 3u}) all |= tensor.strides[axis] * bytes;
  return all & -all;
}

TensorText map_tensor(std::int64_t id, DType type, Index n, Index c, Index h, Index w, const MapStrides& strides,
                      Index alignment) {
  TensorText tensor{id, type, {n, c, h, w}, {strides.image, 1, strides.row, strides.pixel}};
  tensor.alignment = alignment_of(tensor, alignment);
  return tensor;
}

/// cuDNN's one operation for an activation; the others have none, and are applied behind the engine.
template <class F>
std::optional<PointwiseStep> operation_for(const F&) {
  return std::nullopt;
}
std::optional<PointwiseStep> operation_for(const ops::Elu& f) {
  return PointwiseStep{CUDNN_POINTWISE_ELU_FWD, static_cast<double>(f.alpha), {}};
}
std::optional<PointwiseStep> operation_for(const ops::Relu&) { return PointwiseStep{CUDNN_POINTWISE_RELU_FWD, 0, {}}; }
std::optional<PointwiseStep> operation_for(const ops::LeakyRelu& f) {
  return PointwiseStep{CUDNN_POINTWISE_RELU_FWD, static_cast<double>(f.negative_slope), {}};
}
std::optional<PointwiseStep> operation_for(const ops::Sigmoid&) {
  return PointwiseStep{CUDNN_POINTWISE_SIGMOID_FWD, 0, {}};
}
std::optional<PointwiseStep> operation_for(const ops::Gelu&) { return PointwiseStep{CUDNN_POINTWISE_GELU_FWD, 0, {}}; }
std::optional<PointwiseStep> operation_for(const ops::Silu&) { return PointwiseStep{CUDNN_POINTWISE_SWISH_FWD, 1, {}}; }

void append(std::vector<PointwiseStep>& steps, const ops::Fused& fused) {
  ops::with_activation(fused, [&](const auto& f) { steps.push_back(operation_for(f).value()); });
}

std::vector<PointwiseStep> steps_of(const ConvolutionRequest& r, const TensorText& result, bool copies) {
  std::vector<PointwiseStep> steps;
  const auto [n, c, h, w] = result.dims;
  if (r.bias)
    steps.push_back({CUDNN_POINTWISE_ADD, 0, map_tensor(kBias, DType::f32, 1, c, 1, 1, {c, c, c}, r.alignment.bias)});
  append(steps, r.first);
  if (r.residual)
    steps.push_back(
        {CUDNN_POINTWISE_ADD, 0, map_tensor(kResidual, r.type, n, c, h, w, r.residual_strides, r.alignment.residual)});
  append(steps, r.last);
  if (copies) steps.push_back({CUDNN_POINTWISE_IDENTITY, 0, {}});
  return steps;
}

/// Sums stay in f32 until the last step stores them.
TensorText virtual_result(const TensorText& result, std::size_t step) {
  TensorText tensor = result;
  const auto [n, c, h, w] = result.dims;
  tensor.id = kFirstVirtual + static_cast<std::int64_t>(step);
  tensor.type = DType::f32;
  tensor.strides = {c * h * w, 1, c * w, c};
  tensor.alignment = kMostAlignment;
  tensor.is_virtual = true;
  return tensor;
}

/// The attributes that the three kinds of convolution call by different names.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t geometry, large, small, weight, alpha, beta;
};
Names names_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::data_gradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case ConvolutionPass::weight_gradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  }
}

}  // namespace

bool has_operation(const ops::Fused& fused) {
  bool has = true;
  ops::with_activation(fused, [&](const auto& f) { has = operation_for(f).has_value(); });
  return has;
}

/// The three tensors of a convolution, and which of them is its result.
struct ConvolutionGraph::Tensors {
  TensorText large, small, weight;
  TensorText* result = nullptr;

  Tensors(const ConvolutionRequest& r, const UsedExtent& used) {
    const ops::Conv2dProblem& p = r.problem;
    const Index c = p.large.c, inputs = p.group_inputs(), row = p.kernel.x * inputs;
    large = map_tensor(kLarge, r.type, p.large.n, c, used.h, used.w, r.large, r.alignment.large);
    small = map_tensor(kSmall, r.type, p.small.n, p.small.c, p.small.h, p.small.w, r.small, r.alignment.small);
    weight = map_tensor(kWeight, r.type, p.small.c, inputs, p.kernel.y, p.kernel.x, {p.kernel.y * row, row, inputs},
                        r.alignment.weight);
    result = r.pass == ConvolutionPass::forward ? &small : r.pass == ConvolutionPass::data_gradient ? &large : &weight;
    const Index wanted = result == &small   ? r.alignment.small
                         : result == &large ? r.alignment.large
                                            : r.alignment.weight;
    result->type = r.result;
    result->alignment = alignment_of(*result, wanted);
  }
  Tensors(const Tensors&) = delete;
  Tensors& operator=(const Tensors&) = delete;
};

ConvolutionGraph::ConvolutionGraph(const CudnnApi& api, cudnnHandle_t handle, const ConvolutionRequest& request,
                                   const UsedExtent& used, bool copies)
    : api_(api), whole_(api, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
  Tensors tensors(request, used);
  result_id_ = tensors.result->id;
  const std::vector<PointwiseStep> steps = steps_of(request, *tensors.result, copies);
  TensorText previous = steps.empty() ? *tensors.result : virtual_result(*tensors.result, 0);
  add_convolution(request, used, tensors, previous);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const TensorText next = i + 1 < steps.size() ? virtual_result(*tensors.result, i + 1) : *tensors.result;
    add_pointwise(steps[i], previous, next);
    previous = next;
  }
  whole_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  whole_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, std::span<const Descriptor>(operations_));
  whole_.finalize();
}

const Descriptor& ConvolutionGraph::tensor(const TensorText& t) {
  for (const auto& [id, descriptor] : tensors_)
    if (id == t.id) return *descriptor;
  auto d = std::make_unique<Descriptor>(api_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d->set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(t.type));
  d->set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const std::int64_t>(t.dims));
  d->set(CUDNN_ATTR_TENSOR_STRIDES, std::span<const std::int64_t>(t.strides));
  d->set(CUDNN_ATTR_TENSOR_UNIQUE_ID, t.id);
  d->set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{t.alignment});
  if (t.is_virtual) d->set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  d->finalize();
  if (!t.is_virtual) memory_.push_back(t);
  return *tensors_.emplace_back(t.id, std::move(d)).second;
}

Descriptor ConvolutionGraph::geometry(const ops::Conv2dProblem& p, const UsedExtent& used) const {
  using Pair = std::array<std::int64_t, 2>;
  Descriptor d(api_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  d.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Pair{p.pad.y, p.pad.x});
  d.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Pair{used.pad_after_h, used.pad_after_w});
  d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Pair{p.dilation.y, p.dilation.x});
  d.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Pair{p.stride.y, p.stride.x});
  d.finalize();
  return d;
}

void ConvolutionGraph::add_convolution(const ConvolutionRequest& request, const UsedExtent& used,
                                       const Tensors& tensors, const TensorText& result) {
  const Names names = names_of(request.pass);
  const auto operand = [&](const TensorText& t) -> const Descriptor& {
    return tensor(&t == tensors.result ? result : t);
  };
  const Descriptor& shape = parts_.emplace_back(geometry(request.problem, used));
  Descriptor& d = operations_.emplace_back(api_, names.operation);
  d.set(names.geometry, shape);
  d.set(names.large, operand(tensors.large));
  d.set(names.small, operand(tensors.small));
  d.set(names.weight, operand(tensors.weight));
  d.set(names.alpha, 1.0f);
  d.set(names.beta, 0.0f);
  d.finalize();
}

void ConvolutionGraph::add_pointwise(const PointwiseStep& step, const TensorText& from, const TensorText& to) {
  Descriptor& function = parts_.emplace_back(api_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  function.set(CUDNN_ATTR_POINTWISE_MODE, step.mode);
  function.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  if (step.mode == CUDNN_POINTWISE_ELU_FWD) function.set(CUDNN_ATTR_POINTWISE_ELU_ALPHA, step.parameter);
  if (step.mode == CUDNN_POINTWISE_RELU_FWD) function.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, step.parameter);
  if (step.mode == CUDNN_POINTWISE_SWISH_FWD) function.set(CUDNN_ATTR_POINTWISE_SWISH_BETA, step.parameter);
  function.finalize();
  Descriptor& d = operations_.emplace_back(api_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensor(from));
  if (step.other) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(*step.other));
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensor(to));
  d.finalize();
}

}  // namespace nucdet::cuda

#include "fake_cudnn.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "nucdet/core/error.hpp"
#include "nucdet/core/half.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace nucdet_test {

namespace {

using nucdet::message;

struct FakeDescriptor;
using Shared = std::shared_ptr<FakeDescriptor>;

struct Attribute {
  std::vector<std::byte> bytes;
  std::vector<Shared> descriptors;
};

/// Descriptors refer to each other by shared pointers: what a finalized one refers to outlives its own handle, as in
/// the real library.
struct FakeDescriptor {
  cudnnBackendDescriptorType_t type{};
  bool finalized = false;
  std::map<int, Attribute> attributes;
  FakeEngine engine;               ///< of an engine
  std::vector<FakeEngine> offers;  ///< of heuristics

  bool has(int name) const { return attributes.contains(name); }
  template <class T>
  std::vector<T> all(int name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return {};
    std::vector<T> values(found->second.bytes.size() / sizeof(T));
    std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  template <class T>
  T one(int name, T otherwise = {}) const {
    const auto found = attributes.find(name);
    if (found != attributes.end()) std::memcpy(&otherwise, found->second.bytes.data(), sizeof(T));
    return otherwise;
  }
  const Shared& part(int name) const { return attributes.at(name).descriptors.at(0); }
};

FakeCudnnOptions current;
std::atomic<std::size_t> alive{0};
thread_local std::string last_error;

cudnnStatus_t fail(std::string text, cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM) {
  last_error = std::move(text);
  return status;
}

// --- What each type of descriptor may hold ---------------------------------------------------------------------------

struct Rule {
  int attribute;
  cudnnBackendAttributeType_t type;
  std::int64_t least, most;  ///< elements
  bool required = true;
  int target = -1;  ///< the descriptor type of a descriptor
};

constexpr int kTensor = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
constexpr int kAnyOperation = -2;

Rule operand(int attribute, int target = kTensor, bool required = true) {
  return {attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, required, target};
}

std::vector<Rule> convolution_rules(int geometry, int x, int y, int w, int alpha, int beta) {
  return {operand(geometry, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR),
          operand(x),
          operand(y),
          operand(w),
          {alpha, CUDNN_TYPE_FLOAT, 1, 1},
          {beta, CUDNN_TYPE_FLOAT, 1, 1}};
}

const std::map<int, std::vector<Rule>>& rules() {
  constexpr std::int64_t kMany = 1000;
  static const std::map<int, std::vector<Rule>> all = {
      {kTensor,
       {{CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, 4},
        {CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, 4},
        {CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, 1},
        {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, 1},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, 1, false}}},
      {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
       {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, 1},
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, 1},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, 2},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, 2},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, 2},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, 2}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       convolution_rules(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA)},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       convolution_rules(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA)},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       convolution_rules(
           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA)},
      {CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, 1},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, 1},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, 1, false},
        {CUDNN_ATTR_POINTWISE_ELU_ALPHA, CUDNN_TYPE_DOUBLE, 1, 1, false},
        {CUDNN_ATTR_POINTWISE_SWISH_BETA, CUDNN_TYPE_DOUBLE, 1, 1, false}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {operand(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_BACKEND_POINTWISE_DESCRIPTOR),
        operand(CUDNN_ATTR_OPERATION_POINTWISE_XDESC), operand(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, kTensor, false),
        operand(CUDNN_ATTR_OPERATION_POINTWISE_YDESC)}},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, 1},
        {CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, kMany, true, kAnyOperation}}},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
       {operand(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR),
        {CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, 1}}},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
       {{CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, 1},
        operand(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)}},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
       {{CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 1, kMany},
        {CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 1, kMany},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, 1}}},
      // These come out of the library and take nothing.
      {CUDNN_BACKEND_ENGINE_DESCRIPTOR, {}},
      {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, {}},
      {CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, {}},
  };
  return all;
}

std::size_t bytes_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return sizeof(bool);
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
      return 8;
    default:
      return 4;
  }
}

bool fits(int target, int type) {
  if (target != kAnyOperation) return target == type;
  return type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
}

// --- Checks at finalize ----------------------------------------------------------------------------------------------

using Four = std::array<std::int64_t, 4>;

Four four(const FakeDescriptor& d, int name) {
  Four values{};
  std::ranges::copy(d.all<std::int64_t>(name), values.begin());
  return values;
}
Four dims(const FakeDescriptor& d) { return four(d, CUDNN_ATTR_TENSOR_DIMENSIONS); }
bool is_virtual(const FakeDescriptor& d) { return d.one<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL); }
std::int64_t id_of(const FakeDescriptor& d) { return d.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID); }

bool element_type(const FakeDescriptor& tensor, DType& type) {
  switch (tensor.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)) {
    case CUDNN_DATA_FLOAT:
      return type = DType::f32, true;
    case CUDNN_DATA_BFLOAT16:
      return type = DType::bf16, true;
    case CUDNN_DATA_HALF:
      return type = DType::f16, true;
    default:
      return false;
  }
}
DType element_type(const FakeDescriptor& tensor) {
  DType type = DType::f64;
  element_type(tensor, type);
  return type;
}

std::string flaw_of_tensor(const FakeDescriptor& d) {
  DType type{};
  if (!element_type(d, type)) return "a tensor of an unknown type";
  for (const std::int64_t dim : dims(d))
    if (dim < 1) return message("a tensor with a dimension of ", dim);
  const Four strides = four(d, CUDNN_ATTR_TENSOR_STRIDES);
  for (const std::int64_t stride : strides)
    if (stride < 1) return message("a tensor with a stride of ", stride);
  if (strides[1] != 1) return "a tensor whose channels are not contiguous";
  const auto alignment = d.one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  const auto size = static_cast<std::int64_t>(nucdet::size_of(type));
  if (alignment < size || (alignment & (alignment - 1)) != 0) return message("a tensor aligned to ", alignment);
  if (is_virtual(d) && type != DType::f32) return "an intermediate result that is not f32";
  return "";
}

std::string flaw_of_geometry(const FakeDescriptor& d) {
  if (d.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT) return "sums that are not f32";
  if (d.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION)
    return "a turned kernel";
  if (d.one<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) != 2) return "not two spatial dimensions";
  for (const int name : {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS})
    for (const std::int64_t pad : d.all<std::int64_t>(name))
      if (pad < 0) return message("a padding of ", pad);
  for (const std::int64_t stride : d.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES))
    if (stride < 1) return message("a stride of ", stride);
  for (const std::int64_t dilation : d.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS))
    if (dilation < 1) return message("a dilation of ", dilation);
  return "";
}

/// The parts of a convolution under one set of names.
struct ConvolutionParts {
  const FakeDescriptor *geometry, *x, *y, *w;
  const FakeDescriptor* result;
  float alpha, beta;

  explicit ConvolutionParts(const FakeDescriptor& d) {
    const std::vector<Rule>& r = rules().at(d.type);
    geometry = d.part(r[0].attribute).get();
    x = d.part(r[1].attribute).get();
    y = d.part(r[2].attribute).get();
    w = d.part(r[3].attribute).get();
    alpha = d.one<float>(r[4].attribute);
    beta = d.one<float>(r[5].attribute);
    result = d.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR         ? y
             : d.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ? x
                                                                                      : w;
  }
};

std::string flaw_of_convolution(const FakeDescriptor& d) {
  const ConvolutionParts p(d);
  const Four x = dims(*p.x), y = dims(*p.y), w = dims(*p.w);
  if (p.beta != 0) return "a convolution that adds to its result";
  // The library knows the groups by the channels that a filter has.
  if (x[0] != y[0] || w[0] != y[1] || x[1] % w[1] != 0 || y[1] % (x[1] / w[1]) != 0)
    return "a convolution whose images or channels do not agree";
  const auto before = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  const auto after = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  const auto stride = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  const auto dilation = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  for (const std::size_t axis : {0u, 1u}) {
    const std::int64_t room = x[2 + axis] + before[axis] + after[axis] - dilation[axis] * (w[2 + axis] - 1) - 1;
    // The real library rounds down. Remainders are refused here, because no plan should have one.
    if (room < 0 || room % stride[axis] != 0 || room / stride[axis] + 1 != y[2 + axis])
      return message("a convolution of ", x[2 + axis], " to ", y[2 + axis], ", which the paddings do not give");
  }
  std::set<int> inputs;
  for (const FakeDescriptor* t : {p.x, p.y, p.w})
    if (t != p.result) inputs.insert(static_cast<int>(element_type(*t)));
  return inputs.size() == 1 ? "" : "a convolution of inputs of different types";
}

bool broadcasts(const Four& small, const Four& large) {
  for (std::size_t i = 0; i < 4; ++i)
    if (small[i] != large[i] && small[i] != 1) return false;
  return true;
}

std::string flaw_of_function(const FakeDescriptor& d) {
  const auto mode = d.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  const bool known = mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_ELU_FWD ||
                     mode == CUDNN_POINTWISE_RELU_FWD || mode == CUDNN_POINTWISE_SIGMOID_FWD ||
                     mode == CUDNN_POINTWISE_GELU_FWD || mode == CUDNN_POINTWISE_SWISH_FWD ||
                     mode == CUDNN_POINTWISE_IDENTITY;
  if (!known) return message("a pointwise function ", int{mode}, " that the fake does not know");
  if (d.one<cudnnDataType_t>(CUDNN_ATTR_POINTWISE_MATH_PREC) != CUDNN_DATA_FLOAT) return "a function not in f32";
  if (d.has(CUDNN_ATTR_POINTWISE_ELU_ALPHA) && mode != CUDNN_POINTWISE_ELU_FWD) return "alpha without an ELU";
  if (d.has(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE) && mode != CUDNN_POINTWISE_RELU_FWD)
    return "a slope without a ReLU";
  if (d.has(CUDNN_ATTR_POINTWISE_SWISH_BETA) && mode != CUDNN_POINTWISE_SWISH_FWD) return "beta without a swish";
  return "";
}

std::string flaw_of_pointwise(const FakeDescriptor& d) {
  const auto mode =
      d.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)->one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  if (d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC) != (mode == CUDNN_POINTWISE_ADD))
    return "a pointwise operation with the wrong number of operands";
  const Four y = dims(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
  if (dims(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)) != y) return "a pointwise operation that changes the shape";
  if (d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC) &&
      !broadcasts(dims(*d.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)), y))
    return "a pointwise operation whose second operand does not fit";
  return "";
}

/// What an operation reads, and what it writes.
struct Flow {
  std::vector<Shared> reads;
  Shared writes;

  explicit Flow(const FakeDescriptor& d) {
    if (d.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
      reads = {d.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)};
      if (d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) reads.push_back(d.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
      writes = d.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
      return;
    }
    const ConvolutionParts parts(d);
    for (std::size_t i = 1; i <= 3; ++i) {
      const Shared& t = d.part(rules().at(d.type)[i].attribute);
      if (t.get() == parts.result)
        writes = t;
      else
        reads.push_back(t);
    }
  }
};

const std::vector<Shared>& operations(const FakeDescriptor& graph) {
  return graph.attributes.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).descriptors;
}

std::string flaw_of_graph(const FakeDescriptor& d) {
  std::map<std::int64_t, const FakeDescriptor*> known;
  std::set<std::int64_t> produced, consumed;
  const auto meet = [&](const Shared& t) { return known.emplace(id_of(*t), t.get()).first->second == t.get(); };
  for (const Shared& operation : operations(d)) {
    const Flow flow(*operation);
    for (const Shared& t : flow.reads) {
      if (!meet(t)) return message("two tensors of the name ", id_of(*t));
      if (is_virtual(*t) && !produced.contains(id_of(*t)))
        return message("tensor ", id_of(*t), " is virtual and read before an operation writes it");
      consumed.insert(id_of(*t));
    }
    if (!meet(flow.writes)) return message("two tensors of the name ", id_of(*flow.writes));
    if (!produced.insert(id_of(*flow.writes)).second)
      return message("tensor ", id_of(*flow.writes), " is written twice");
  }
  for (const auto& [id, tensor] : known)
    if (is_virtual(*tensor) && !consumed.contains(id)) return message("tensor ", id, " is virtual and never read");
  return "";
}

std::string flaw_of_pack(const FakeDescriptor& d) {
  const auto ids = d.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  if (ids.size() != d.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size()) return "not one pointer for each name";
  if (std::set<std::int64_t>(ids.begin(), ids.end()).size() != ids.size()) return "a name given twice";
  return "";
}

std::string flaw_of(const FakeDescriptor& d) {
  for (const Rule& rule : rules().at(d.type))
    if (rule.required && !d.has(rule.attribute)) return message("attribute ", rule.attribute, " is missing");
  switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return flaw_of_tensor(d);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return flaw_of_geometry(d);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return flaw_of_convolution(d);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
      return flaw_of_function(d);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return flaw_of_pointwise(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return flaw_of_graph(d);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      return flaw_of_pack(d);
    default:
      return "";
  }
}

bool supported(const FakeDescriptor& graph) {
  const auto& all = operations(graph);
  if (all.size() > 1 && !current.fused_graphs) return false;
  const auto apart = [](const auto& t) {
    return !is_virtual(*t) && dims(*t)[3] > 1 && four(*t, CUDNN_ATTR_TENSOR_STRIDES)[3] != dims(*t)[1];
  };
  for (const auto& operation : all) {
    const Flow flow(*operation);
    if (!current.sliced_maps && (apart(flow.writes) || std::any_of(flow.reads.begin(), flow.reads.end(), apart)))
      return false;
  }
  const DType from = element_type(*Flow(*all.front()).reads[0]), to = element_type(*Flow(*all.back()).writes);
  return from == to || current.wide_results;
}

// --- The interpreter -------------------------------------------------------------------------------------------------

/// The memory of one run: pointers by name, and the intermediate results. Holds the graph, so that it can run late.
struct Run {
  Shared graph;
  std::map<std::int64_t, void*> pointers;
  std::map<std::int64_t, std::vector<float>> intermediate;

  Index offset(const FakeDescriptor& t, const Four& at) const {
    const Four strides = four(t, CUDNN_ATTR_TENSOR_STRIDES), size = dims(t);
    Index sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += (size[i] == 1 ? 0 : at[i]) * strides[i];
    return sum;
  }
  void* memory(const FakeDescriptor& t) {
    if (!is_virtual(t)) return pointers.at(id_of(t));
    std::vector<float>& values = intermediate[id_of(t)];
    const Four size = dims(t);
    values.resize(static_cast<std::size_t>(offset(t, {size[0] - 1, size[1] - 1, size[2] - 1, size[3] - 1}) + 1));
    return values.data();
  }
};

template <class Body>
void for_each_index(const Four& size, Body&& body) {
  for (Index n = 0; n < size[0]; ++n)
    for (Index c = 0; c < size[1]; ++c)
      for (Index h = 0; h < size[2]; ++h)
        for (Index w = 0; w < size[3]; ++w) body(Four{n, c, h, w});
}

/// A tensor as dense doubles in the order n, c, h, w. What is read in a convolution is read many times.
std::vector<double> read(Run& run, const FakeDescriptor& t) {
  std::vector<double> values;
  const void* memory = run.memory(t);
  for_each_index(dims(t),
                 [&](const Four& at) { values.push_back(load_element(element_type(t), memory, run.offset(t, at))); });
  return values;
}
void write(Run& run, const FakeDescriptor& t, const std::vector<double>& values) {
  void* memory = run.memory(t);
  std::size_t i = 0;
  for_each_index(dims(t),
                 [&](const Four& at) { store_element(element_type(t), memory, run.offset(t, at), values[i++]); });
}

std::size_t dense(const Four& size, Index n, Index c, Index h, Index w) {
  return static_cast<std::size_t>(((n * size[1] + c) * size[2] + h) * size[3] + w);
}

void convolve(Run& run, const FakeDescriptor& operation) {
  const ConvolutionParts p(operation);
  const Four xs = dims(*p.x), ys = dims(*p.y), ws = dims(*p.w);
  const auto pad = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  const auto stride = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  const auto dilation = p.geometry->all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  const Index inputs = ws[1], outputs = ys[1] / (xs[1] / inputs);  // of a group
  const auto values_of = [&](const FakeDescriptor* t) {
    const Four s = dims(*t);
    return t == p.result ? std::vector<double>(static_cast<std::size_t>(s[0] * s[1] * s[2] * s[3])) : read(run, *t);
  };
  std::vector<double> x = values_of(p.x), y = values_of(p.y), w = values_of(p.w);
  for_each_index(ys, [&](const Four& at) {
    const auto [n, o, i, j] = at;
    double& to = y[dense(ys, n, o, i, j)];
    for (Index c = 0; c < inputs; ++c)
      for (Index ky = 0; ky < ws[2]; ++ky)
        for (Index kx = 0; kx < ws[3]; ++kx) {
          const Index row = i * stride[0] + dilation[0] * ky - pad[0],
                      column = j * stride[1] + dilation[1] * kx - pad[1];
          if (row < 0 || column < 0 || row >= xs[2] || column >= xs[3]) continue;
          double& from = x[dense(xs, n, o / outputs * inputs + c, row, column)];
          double& weight = w[dense(ws, o, c, ky, kx)];
          if (p.result == p.y)
            to += weight * from;
          else if (p.result == p.x)
            from += weight * to;
          else
            weight += from * to;
        }
  });
  std::vector<double>& result = p.result == p.x ? x : p.result == p.y ? y : w;
  for (double& value : result) value *= static_cast<double>(p.alpha);
  write(run, *p.result, result);
}

double apply(const FakeDescriptor& function, double x, double other) {
  switch (function.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE)) {
    case CUDNN_POINTWISE_ADD:
      return x + other;
    case CUDNN_POINTWISE_IDENTITY:
      return x;
    case CUDNN_POINTWISE_ELU_FWD:
      return x > 0 ? x : function.one<double>(CUDNN_ATTR_POINTWISE_ELU_ALPHA, 1.0) * std::expm1(x);
    case CUDNN_POINTWISE_RELU_FWD:
      return x > 0 ? x : function.one<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0.0) * x;
    case CUDNN_POINTWISE_GELU_FWD:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case CUDNN_POINTWISE_SWISH_FWD:
      return x / (1 + std::exp(-function.one<double>(CUDNN_ATTR_POINTWISE_SWISH_BETA, 1.0) * x));
    default:
      return 1 / (1 + std::exp(-x));
  }
}

void map_points(Run& run, const FakeDescriptor& d) {
  const FakeDescriptor& function = *d.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  const FakeDescriptor& y = *d.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
  std::vector<double> values = read(run, *d.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  std::size_t i = 0;
  for_each_index(dims(y), [&](const Four& at) {
    double other = 0;
    if (d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) {
      const FakeDescriptor& b = *d.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
      other = load_element(element_type(b), run.memory(b), run.offset(b, at));
    }
    values[i] = apply(function, values[i], other);
    ++i;
  });
  write(run, y, values);
}

void interpret(Run& run) {
  for (const Shared& operation : operations(*run.graph))
    if (operation->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      map_points(run, *operation);
    else
      convolve(run, *operation);
}

// --- The functions of the table --------------------------------------------------------------------------------------

FakeDescriptor& body_of(cudnnBackendDescriptor_t d) { return **static_cast<Shared*>(d); }

cudnnStatus_t create(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t destroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t set_stream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
std::size_t get_version() { return CUDNN_VERSION; }
const char* get_error_string(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    default:
      return "CUDNN_STATUS_NOT_SUPPORTED";
  }
}
void get_last_error_string(char* text, std::size_t size) { std::snprintf(text, size, "%s", last_error.c_str()); }

cudnnStatus_t backend_create(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* to) {
  if (!rules().contains(type)) return fail(message("descriptor type ", int{type}, " is unknown to the fake"));
  auto descriptor = std::make_shared<FakeDescriptor>();
  descriptor->type = type;
  *to = new Shared(std::move(descriptor));
  ++alive;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t backend_destroy(cudnnBackendDescriptor_t d) {
  delete static_cast<Shared*>(d);
  --alive;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t backend_set(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, std::int64_t count, const void* elements) {
  FakeDescriptor& d = body_of(to);
  const std::string where = message("attribute ", int{name}, " of descriptor type ", int{d.type}, ": ");
  if (d.finalized) return fail(where + "set after finalize");
  const std::vector<Rule>& known = rules().at(d.type);
  const auto rule = std::ranges::find(known, int{name}, &Rule::attribute);
  if (rule == known.end()) return fail(where + "unknown");
  if (type != rule->type) return fail(message(where, "has type ", int{type}, ", wanted ", int{rule->type}));
  if (count < rule->least || count > rule->most || elements == nullptr)
    return fail(message(where, count, " elements, wanted ", rule->least, " to ", rule->most));
  Attribute value;
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto raw = static_cast<const cudnnBackendDescriptor_t*>(elements)[i];
      if (raw == nullptr) return fail(where + "null");
      if (!body_of(raw).finalized) return fail(where + "not finalized");
      if (!fits(rule->target, body_of(raw).type)) return fail(where + "the wrong type of descriptor");
      value.descriptors.push_back(*static_cast<Shared*>(raw));
    }
  } else {
    value.bytes.resize(bytes_of(type) * static_cast<std::size_t>(count));
    std::memcpy(value.bytes.data(), elements, value.bytes.size());
  }
  d.attributes[name] = std::move(value);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t backend_finalize(cudnnBackendDescriptor_t raw) {
  FakeDescriptor& d = body_of(raw);
  if (d.finalized) return fail("finalized twice");
  if (rules().at(d.type).empty()) return fail("such descriptors are filled by cudnnBackendGetAttribute");
  if (const std::string flaw = flaw_of(d); !flaw.empty()) return fail(flaw);
  if (d.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    if (!supported(*d.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)))
      return fail("no engine supports the graph", CUDNN_STATUS_NOT_SUPPORTED);
    const auto mode = d.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
    for (const FakeEngine& engine : current.engines)
      if (engine.mode == mode) d.offers.push_back(engine);
  }
  if (d.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    d.engine = d.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->engine;
    if (!d.engine.works) return fail("the engine does not work", CUDNN_STATUS_NOT_SUPPORTED);
  }
  d.finalized = true;
  return CUDNN_STATUS_SUCCESS;
}

/// Copies out numbers of one type; with a null `to`, tells only their count.
template <class T>
cudnnStatus_t give(const std::vector<T>& values, std::int64_t most, std::int64_t* count, void* to) {
  const auto size = static_cast<std::int64_t>(values.size());
  if (count != nullptr) *count = size;
  if (to != nullptr) std::copy_n(values.begin(), std::min(size, most), static_cast<T*>(to));
  return CUDNN_STATUS_SUCCESS;
}

/// Fills descriptors that the caller made.
cudnnStatus_t give_descriptors(const std::vector<FakeDescriptor>& values, std::int64_t most, std::int64_t* count,
                               void* to) {
  const auto size = static_cast<std::int64_t>(values.size());
  *count = to == nullptr ? size : std::min(size, most);
  for (std::int64_t i = 0; to != nullptr && i < *count; ++i) {
    FakeDescriptor& target = body_of(static_cast<cudnnBackendDescriptor_t*>(to)[i]);
    if (target.type != values[static_cast<std::size_t>(i)].type) return fail("a descriptor of the wrong type to fill");
    target = values[static_cast<std::size_t>(i)];
  }
  return CUDNN_STATUS_SUCCESS;
}

FakeDescriptor filled(cudnnBackendDescriptorType_t type, const FakeEngine& engine) {
  FakeDescriptor d;
  d.type = type;
  d.finalized = true;
  d.engine = engine;
  return d;
}

std::vector<FakeDescriptor> configurations(const FakeDescriptor& heuristics) {
  std::vector<FakeDescriptor> all;
  for (const FakeEngine& engine : heuristics.offers) {
    all.push_back(filled(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, engine));
    all.back().attributes[CUDNN_ATTR_ENGINE_OPERATION_GRAPH].descriptors = {
        heuristics.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)};
  }
  return all;
}

cudnnStatus_t backend_get(cudnnBackendDescriptor_t const from, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, std::int64_t most, std::int64_t* count, void* to) {
  const FakeDescriptor& d = body_of(from);
  if (!d.finalized) return fail("read before finalize");
  const auto asked = [&](cudnnBackendDescriptorType_t of, cudnnBackendAttributeName_t what,
                         cudnnBackendAttributeType_t as) { return d.type == of && name == what && type == as; };
  if (asked(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR))
    return give_descriptors(configurations(d), most, count, to);
  if (asked(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR))
    return give_descriptors({filled(CUDNN_BACKEND_ENGINE_DESCRIPTOR, d.engine)}, most, count, to);
  if (asked(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR))
    return give_descriptors({filled(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, d.engine)}, most, count, to);
  if (asked(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE))
    return give(std::vector{CUDNN_KNOB_TYPE_TILE_SIZE}, most, count, to);
  if (asked(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64))
    return give(std::vector<std::int64_t>{7}, most, count, to);
  if (asked(CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64))
    return give(std::vector{d.engine.number}, most, count, to);
  if (asked(CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE))
    return give(d.engine.notes, most, count, to);
  if (asked(CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE))
    return give(std::vector{CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}, most, count, to);
  if (asked(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64))
    return give(std::vector{d.engine.workspace}, most, count, to);
  return fail(message("attribute ", int{name}, " of descriptor type ", int{d.type}, " cannot be read as ", int{type}));
}

cudnnStatus_t backend_execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  const FakeDescriptor &p = body_of(plan), &v = body_of(pack);
  if (!p.finalized || !v.finalized) return fail("executed before finalize");
  if (handle != p.one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)) return fail("executed with another handle");
  if (p.engine.workspace > 0 && v.one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) == nullptr) return fail("no workspace");
  auto run = std::make_shared<Run>();
  run->graph = p.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  const auto ids = v.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = v.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  for (std::size_t i = 0; i < ids.size(); ++i) run->pointers[ids[i]] = pointers[i];
  std::set<std::int64_t> wanted;
  const auto check = [&](const Shared& t) {
    if (is_virtual(*t)) return true;
    wanted.insert(id_of(*t));
    const auto found = run->pointers.find(id_of(*t));
    const auto alignment = t->one<std::uint64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
    return found != run->pointers.end() && found->second != nullptr &&
           std::bit_cast<std::uintptr_t>(found->second) % alignment == 0;
  };
  for (const Shared& operation : operations(*run->graph)) {
    const Flow flow(*operation);
    if (!check(flow.writes) || !std::ranges::all_of(flow.reads, check))
      return fail("a pointer is missing or unaligned");
  }
  if (wanted.size() != ids.size()) return fail("a pointer that no operation asks for");
  if (current.queue)
    current.queue([run] { interpret(*run); });
  else
    interpret(*run);
  return CUDNN_STATUS_SUCCESS;
}

std::uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return 0x7fc0;
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

double load_element(DType type, const void* array, Index i) {
  if (type == DType::f32) return static_cast<double>(static_cast<const float*>(array)[i]);
  if (type == DType::f16) return static_cast<double>(static_cast<float>(static_cast<const nucdet::f16*>(array)[i]));
  const std::uint32_t bits = static_cast<const std::uint16_t*>(array)[i];
  return static_cast<double>(std::bit_cast<float>(bits << 16));
}

void store_element(DType type, void* array, Index i, double value) {
  const auto rounded = static_cast<float>(value);
  if (type == DType::f32)
    static_cast<float*>(array)[i] = rounded;
  else if (type == DType::f16)
    static_cast<nucdet::f16*>(array)[i] = nucdet::f16(rounded);
  else
    static_cast<std::uint16_t*>(array)[i] = bf16_bits(rounded);
}

std::size_t fake_cudnn_descriptors() { return alive; }

const nucdet::cuda::CudnnApi& fake_cudnn(FakeCudnnOptions options) {
  current = std::move(options);
  static const nucdet::cuda::CudnnApi api = {create,
                                             destroy,
                                             set_stream,
                                             get_version,
                                             get_error_string,
                                             get_last_error_string,
                                             backend_create,
                                             backend_destroy,
                                             backend_set,
                                             backend_get,
                                             backend_finalize,
                                             backend_execute,
                                             ""};
  return api;
}

}  // namespace nucdet_test

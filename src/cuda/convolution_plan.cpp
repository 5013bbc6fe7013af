#include "convolution_plan.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace nucdet::cuda {

namespace {

using Kind = ops::Fused::Kind;

/// Names of the tensors of a graph. The steps of the epilogue pass results on under kFirstVirtual and above.
enum TensorId : std::int64_t { kLarge = 1, kSmall, kWeight, kBias, kResidual, kFirstVirtual };

constexpr Index kMostAlignment = 16;

bool has_parameter(const ops::Fused& fused) { return fused.kind == Kind::elu || fused.kind == Kind::leaky_relu; }

/// A request as numbers, those without an effect zero. Equality and hash both come from here and cannot disagree.
std::array<std::int64_t, 36> key_of(const ConvolutionRequest& r) {
  const ops::Conv2dProblem& p = r.problem;
  const MapStrides residual = r.residual ? r.residual_strides : MapStrides{};
  const auto parameter = [](const ops::Fused& f) {
    return has_parameter(f) ? std::int64_t{std::bit_cast<std::int32_t>(f.parameter)} : 0;
  };
  const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
  return {number(r.pass),
          p.large.n,
          p.large.h,
          p.large.w,
          p.large.c,
          p.small.n,
          p.small.h,
          p.small.w,
          p.small.c,
          p.kernel,
          p.stride,
          p.pad,
          number(r.type),
          number(r.result),
          r.large.image,
          r.large.row,
          r.large.pixel,
          r.small.image,
          r.small.row,
          r.small.pixel,
          number(r.bias),
          number(r.residual),
          residual.image,
          residual.row,
          residual.pixel,
          number(r.first.kind),
          parameter(r.first),
          number(r.last.kind),
          parameter(r.last),
          number(r.tensor_cores),
          number(r.deterministic),
          r.alignment.large,
          r.alignment.small,
          r.alignment.weight,
          r.alignment.bias,
          r.alignment.residual};
}

std::string text_of(const ops::Fused& fused) {
  switch (fused.kind) {
    case Kind::none:
      return "";
    case Kind::elu:
      return message(" + elu(", fused.parameter, ')');
    case Kind::relu:
      return " + relu";
    case Kind::leaky_relu:
      return message(" + leaky_relu(", fused.parameter, ')');
    case Kind::sigmoid:
      return " + sigmoid";
  }
  return "";
}

const char* name_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return "forward";
    case ConvolutionPass::data_gradient:
      return "data gradient";
    case ConvolutionPass::weight_gradient:
      return "weight gradient";
  }
  return "";
}

const char* name_of_tensor(std::int64_t id) {
  constexpr const char* names[] = {"large map", "small map", "weights", "bias", "residual"};
  return names[id - kLarge];
}

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

/// The description of a tensor in cuDNN's order of dimensions: n, c, h, w.
struct TensorText {
  std::int64_t id = 0;
  DType type = DType::f32;
  std::array<std::int64_t, 4> dims{}, strides{};
  Index alignment = kMostAlignment;
  bool is_virtual = false;
};

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

/// The three tensors of a convolution, and which of them is its result.
struct Tensors {
  TensorText large, small, weight;
  TensorText* result = nullptr;

  Tensors(const ConvolutionRequest& r, const UsedExtent& used) {
    const ops::Conv2dProblem& p = r.problem;
    const Index k = p.kernel, c = p.large.c;
    large = map_tensor(kLarge, r.type, p.large.n, c, used.h, used.w, r.large, r.alignment.large);
    small = map_tensor(kSmall, r.type, p.small.n, p.small.c, p.small.h, p.small.w, r.small, r.alignment.small);
    weight = map_tensor(kWeight, r.type, p.small.c, c, k, k, {k * k * c, k * c, c}, r.alignment.weight);
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

/// One operation after the convolution: result = mode(previous result, other).
struct Step {
  cudnnPointwiseMode_t mode = CUDNN_POINTWISE_ADD;
  double parameter = 0;
  std::optional<TensorText> other;
};

void append(std::vector<Step>& steps, const ops::Fused& fused) {
  switch (fused.kind) {
    case Kind::none:
      return;
    case Kind::elu:
      return steps.push_back({CUDNN_POINTWISE_ELU_FWD, static_cast<double>(fused.parameter), {}});
    case Kind::relu:
      return steps.push_back({CUDNN_POINTWISE_RELU_FWD, 0, {}});
    case Kind::leaky_relu:
      return steps.push_back({CUDNN_POINTWISE_RELU_FWD, static_cast<double>(fused.parameter), {}});
    case Kind::sigmoid:
      return steps.push_back({CUDNN_POINTWISE_SIGMOID_FWD, 0, {}});
  }
}

std::vector<Step> steps_of(const ConvolutionRequest& r, const TensorText& result, bool copies) {
  std::vector<Step> steps;
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

/// The operation graph of a request. cuDNN copies what a finalized descriptor refers to, but the copies are only
/// promised while the graph is searched: all parts live as long as this.
class Graph {
 public:
  /// `copies`: an identity stores the result.
  Graph(const CudnnApi& api, cudnnHandle_t handle, const ConvolutionRequest& request, const UsedExtent& used,
        bool copies)
      : api_(api), whole_(api, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
    Tensors tensors(request, used);
    result_id_ = tensors.result->id;
    const std::vector<Step> steps = steps_of(request, *tensors.result, copies);
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

  const Descriptor& whole() const { return whole_; }
  const std::vector<TensorText>& memory() const { return memory_; }
  std::int64_t result_id() const { return result_id_; }

 private:
  /// Sums stay in f32 until the last step stores them.
  static TensorText virtual_result(const TensorText& result, std::size_t step) {
    TensorText tensor = result;
    const auto [n, c, h, w] = result.dims;
    tensor.id = kFirstVirtual + static_cast<std::int64_t>(step);
    tensor.type = DType::f32;
    tensor.strides = {c * h * w, 1, c * w, c};
    tensor.alignment = kMostAlignment;
    tensor.is_virtual = true;
    return tensor;
  }

  /// The descriptor of a tensor, made at its first use: operations are linked by the tensors they share.
  const Descriptor& tensor(const TensorText& t) {
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

  Descriptor geometry(const ops::Conv2dProblem& p, const UsedExtent& used) const {
    using Pair = std::array<std::int64_t, 2>;
    Descriptor d(api_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    d.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
    d.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Pair{p.pad, p.pad});
    d.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Pair{used.pad_after_h, used.pad_after_w});
    d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Pair{1, 1});
    d.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Pair{p.stride, p.stride});
    d.finalize();
    return d;
  }

  /// The attributes that the three kinds of convolution call by different names.
  struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t geometry, large, small, weight, alpha, beta;
  };
  static Names names_of(ConvolutionPass pass) {
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

  void add_convolution(const ConvolutionRequest& request, const UsedExtent& used, const Tensors& tensors,
                       const TensorText& result) {
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

  void add_pointwise(const Step& step, const TensorText& from, const TensorText& to) {
    Descriptor& function = parts_.emplace_back(api_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, step.mode);
    function.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    if (step.mode == CUDNN_POINTWISE_ELU_FWD) function.set(CUDNN_ATTR_POINTWISE_ELU_ALPHA, step.parameter);
    if (step.mode == CUDNN_POINTWISE_RELU_FWD) function.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, step.parameter);
    function.finalize();
    Descriptor& d = operations_.emplace_back(api_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensor(from));
    if (step.other) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensor(*step.other));
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensor(to));
    d.finalize();
  }

  const CudnnApi& api_;
  std::vector<std::pair<std::int64_t, std::unique_ptr<Descriptor>>> tensors_;
  std::vector<Descriptor> parts_, operations_;
  Descriptor whole_;
  std::vector<TensorText> memory_;
  std::int64_t result_id_ = 0;
};

using Note = cudnnBackendNumericalNote_t;

/// What an engine says about itself. A newer library may know more notes than our header.
struct EngineText {
  std::int64_t number = 0;
  std::vector<Note> notes;
  std::vector<cudnnBackendBehaviorNote_t> behavior;

  explicit EngineText(const Descriptor& configuration) {
    constexpr std::size_t kMostNotes = 64;
    const std::vector<Descriptor> engine =
        configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engine.empty()) throw CudaError("cuDNN: an engine configuration without an engine");
    number = engine[0].get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    notes = engine[0].get<Note>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, kMostNotes);
    behavior = engine[0].get<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, kMostNotes);
  }
};

const char* text_of(Note note) {
  switch (note) {
    case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      return "tensor cores";
    case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      return "down-converted inputs";
    case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      return "reduced precision sums";
    case CUDNN_NUMERICAL_NOTE_FFT:
      return "FFT";
    case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      return "nondeterministic";
    case CUDNN_NUMERICAL_NOTE_WINOGRAD:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
      return "Winograd";
    case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
      return "strict NaN";
    default:
      return "unknown note";
  }
}

bool forbidden(Note note, const ConvolutionRequest& request) {
  switch (note) {
    case CUDNN_NUMERICAL_NOTE_FFT:
      return true;  // workspaces of many times the maps, and errors that depend on the largest value
    case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      return request.deterministic;
    case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
      return false;
    default:
      return !request.tensor_cores;  // a note we do not know may mean less than f32 too
  }
}

/// "1=2 13=0": the knobs of a configuration by the numbers of cudnn_graph.h.
std::string knobs_of(const Descriptor& configuration) {
  std::string text;
  for (const Descriptor& knob : configuration.get(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                                  CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS))
    text += message(text.empty() ? "" : " ", int{knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE)},
                    '=', knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  return text;
}

std::string text_of(const EngineText& engine, const Descriptor& configuration) {
  std::string text = message("engine ", engine.number);
  if (const std::string knobs = knobs_of(configuration); !knobs.empty()) text += message(", knobs ", knobs);
  for (const Note note : engine.notes) text += message(", ", text_of(note));
  for (const auto note : engine.behavior)
    text += note == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION ? std::string(", compiled at run time")
                                                            : message(", behavior ", int{note});
  return text;
}

std::string last_error(const CudnnApi& api, cudnnStatus_t status) {
  try {
    check(api, status, "finalizing");
  } catch (const CudaError& e) { return e.what(); }
  return "";
}

bool has_epilogue(const ConvolutionRequest& r) {
  return r.bias || r.residual || r.first.kind != Kind::none || r.last.kind != Kind::none;
}

std::string flaw_of(const ConvolutionRequest& r, const UsedExtent& used) {
  if (r.type == DType::f64 || r.result == DType::f64) return "f64 is not supported on devices";
  if (r.result != r.type && r.result != DType::f32)
    return message("the result is ", name_of(r.result), ", wanted ", name_of(r.type), " or f32");
  if (used.h < 1 || used.w < 1) return "all weights fall outside the large map";
  if (r.pass == ConvolutionPass::weight_gradient && has_epilogue(r)) return "a weight gradient has no epilogue";
  return "";
}

}  // namespace

/// Goes through cuDNN's proposals and keeps a record of why each was passed over.
class PlanSearch {
 public:
  PlanSearch(const CudnnApi& api, cudnnHandle_t handle, const ConvolutionRequest& request, std::size_t most)
      : api_(api), handle_(handle), request_(request), used_(used_extent(request.problem)), most_(most) {}

  std::vector<std::unique_ptr<ConvolutionPlan>> run() {
    reasons_ = flaw_of(request_, used_);
    if (!reasons_.empty()) return {};
    // For a lone convolution of half maps with an f32 result, heuristics A know no engine. They know some for the same
    // convolution followed by an identity.
    if (request_.result != request_.type && !has_epilogue(request_)) attempt([&] { search(true); });
    attempt([&] { search(false); });
    return std::move(found_);
  }
  const std::string& reasons() const { return reasons_; }

 private:
  template <class Body>
  void attempt(Body&& body) {
    try {
      body();
    } catch (const CudaError& e) { note(e.what()); }
  }

  void search(bool copies) {
    if (found_.size() >= most_) return;
    const Graph graph(api_, handle_, request_, used_, copies);
    const std::size_t first = found_.size();
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
      for (Descriptor& configuration : proposals(graph, mode)) {
        if (found_.size() >= most_) return;
        attempt([&] { consider(graph, first, std::move(configuration)); });
      }
  }

  /// Many configurations of an engine fail alike: each reason once.
  void note(const std::string& reason) {
    if (reasons_.find(reason) == std::string::npos) reasons_ += (reasons_.empty() ? "" : "; ") + reason;
  }

  std::vector<Descriptor> proposals(const Graph& graph, cudnnBackendHeurMode_t mode) {
    if (found_.size() >= most_) return {};
    const char* name = mode == CUDNN_HEUR_MODE_A ? "heuristics A" : "fallback heuristics";
    Descriptor heuristics(api_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.whole());
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (const cudnnStatus_t status = heuristics.try_finalize(); status != CUDNN_STATUS_SUCCESS) {
      note(message(name, ": ", last_error(api_, status)));
      return {};
    }
    // The count is of all proposals; those that cannot run on this device are missing from the list itself.
    const std::size_t count = heuristics.count(CUDNN_ATTR_ENGINEHEUR_RESULTS);
    auto configurations = heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, count);
    if (configurations.empty()) note(message(name, ": no engine"));
    return configurations;
  }

  /// `first`: where the plans of this graph begin.
  void consider(const Graph& graph, std::size_t first, Descriptor configuration) {
    const EngineText engine(configuration);
    for (const Note n : engine.notes)
      if (forbidden(n, request_)) return note(message("engine ", engine.number, ": ", text_of(n)));
    const std::string text = text_of(engine, configuration);
    // Fallback repeats engines of mode A.
    for (std::size_t i = first; i < found_.size(); ++i)
      if (found_[i]->description_.starts_with(text + ", workspace")) return;
    Descriptor plan(api_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
    if (const cudnnStatus_t status = plan.try_finalize(); status != CUDNN_STATUS_SUCCESS)
      return note(message("engine ", engine.number, ": ", last_error(api_, status)));
    keep(graph, std::move(plan), std::move(configuration), text);
  }

  void keep(const Graph& graph, Descriptor plan, Descriptor configuration, const std::string& text) {
    const auto bytes = plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    auto& kept = *found_.emplace_back(new ConvolutionPlan(std::move(plan), std::move(configuration)));
    kept.api_ = &api_;
    kept.handle_ = handle_;
    for (const TensorText& tensor : graph.memory()) kept.bindings_.push_back({tensor.id, tensor.alignment});
    kept.result_id_ = graph.result_id();
    kept.workspace_bytes_ = static_cast<std::size_t>(bytes);
    kept.used_ = used_;
    kept.covers_large_ = used_.h == request_.problem.large.h && used_.w == request_.problem.large.w;
    kept.request_ = text_of(request_);
    kept.description_ = message(text, ", workspace ", bytes, " bytes");
  }

  const CudnnApi& api_;
  cudnnHandle_t handle_;
  const ConvolutionRequest& request_;
  UsedExtent used_;
  std::size_t most_;
  std::vector<std::unique_ptr<ConvolutionPlan>> found_;
  std::string reasons_;
};

Index alignment_of(const void* pointer) {
  const auto bits = static_cast<Index>(std::bit_cast<std::uintptr_t>(pointer)) | kMostAlignment;
  return bits & -bits;
}

bool operator==(const ConvolutionRequest& a, const ConvolutionRequest& b) { return key_of(a) == key_of(b); }

std::size_t RequestHash::operator()(const ConvolutionRequest& request) const {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, a word at a time
  for (const std::int64_t number : key_of(request)) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  return static_cast<std::size_t>(hash);
}

std::string text_of(const ConvolutionRequest& r) {
  const ops::Conv2dProblem& p = r.problem;
  const bool up = r.pass == ConvolutionPass::data_gradient;
  std::string text = message("conv ", name_of(r.pass), ' ', up ? p.small : p.large, " to ", up ? p.large : p.small,
                             ", kernel ", p.kernel, ", stride ", p.stride, ", pad ", p.pad, ", ", name_of(r.type));
  if (r.result != r.type) text += message(" to ", name_of(r.result));
  if (r.bias) text += " + bias";
  text += text_of(r.first);
  if (r.residual) text += " + residual";
  text += text_of(r.last);
  if (!r.tensor_cores) text += ", strict";
  if (!r.deterministic) text += ", any order";
  return text;
}

UsedExtent used_extent(const ops::Conv2dProblem& p) {
  // The last row that a weight meets, plus one. It may lie beyond the map, where zeros are.
  const auto needed = [&](Index small) { return (small - 1) * p.stride + p.kernel - p.pad; };
  const Index h = needed(p.small.h), w = needed(p.small.w);
  return {std::min(h, p.large.h), std::min(w, p.large.w), std::max(h - p.large.h, Index{0}),
          std::max(w - p.large.w, Index{0})};
}

std::vector<std::unique_ptr<ConvolutionPlan>> ConvolutionPlan::candidates(const CudnnApi& api, cudnnHandle_t handle,
                                                                          const ConvolutionRequest& request,
                                                                          std::size_t most, std::string& why_not) {
  why_not.clear();
  if (!api.problem.empty()) {
    why_not = api.problem;
    return {};
  }
  PlanSearch search(api, handle, request, most);
  auto found = search.run();
  if (found.empty()) why_not = message("no plan for ", text_of(request), ": ", search.reasons());
  return found;
}

std::unique_ptr<ConvolutionPlan> ConvolutionPlan::find(const CudnnApi& api, cudnnHandle_t handle,
                                                       const ConvolutionRequest& request, std::string& why_not) {
  auto found = candidates(api, handle, request, 1, why_not);
  return found.empty() ? nullptr : std::move(found[0]);
}

void ConvolutionPlan::run(const ConvolutionArguments& a) const {
  const std::array<const void*, 5> given = {a.large, a.small, a.weight, a.bias, a.residual};
  std::array<std::int64_t, 5> ids;
  std::array<void*, 5> pointers;
  const std::size_t count = bindings_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [id, alignment] = bindings_[i];
    const void* pointer = id == result_id_ ? a.result : given[static_cast<std::size_t>(id - kLarge)];
    if (pointer == nullptr || alignment_of(pointer) < alignment)
      throw ArgumentError(message(request_, ": the pointer of the ", name_of_tensor(id), " is ",
                                  pointer == nullptr ? "null" : "not aligned", ", wanted a multiple of ", alignment,
                                  " bytes"));
    ids[i] = id;
    pointers[i] = const_cast<void*>(pointer);
  }
  if (workspace_bytes_ > 0 && a.workspace == nullptr)
    throw ArgumentError(message(request_, ": no workspace, wanted ", workspace_bytes_, " bytes"));
  Descriptor pack(*api_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {pointers.data(), count});
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const std::int64_t>(ids.data(), count));
  pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {&a.workspace, 1});
  pack.finalize();
  const cudnnStatus_t status = api_->backend_execute(handle_, plan_.raw(), pack.raw());
  if (status != CUDNN_STATUS_SUCCESS) check(*api_, status, message(request_, ", ", description_));
}

}  // namespace nucdet::cuda

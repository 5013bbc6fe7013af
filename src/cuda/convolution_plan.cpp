#include "convolution_plan.hpp"

#include <array>

#include "convolution_graph.hpp"

namespace nucdet::cuda {

namespace {

using Kind = ops::Fused::Kind;
using Note = cudnnBackendNumericalNote_t;

const char* name_of_tensor(std::int64_t id) {
  constexpr const char* names[] = {"large map", "small map", "weights", "bias", "residual"};
  return names[id - kLarge];
}

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
    case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      return true;  // sums are f32, whatever the maps are
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
  for (const ops::Fused& f : {r.first, r.last})
    if (!has_operation(f)) return message("cuDNN has no ", ops::name_of(f.kind));
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
    const ConvolutionGraph graph(api_, handle_, request_, used_, copies);
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

  std::vector<Descriptor> proposals(const ConvolutionGraph& graph, cudnnBackendHeurMode_t mode) {
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
  void consider(const ConvolutionGraph& graph, std::size_t first, Descriptor configuration) {
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

  void keep(const ConvolutionGraph& graph, Descriptor plan, Descriptor configuration, const std::string& text) {
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

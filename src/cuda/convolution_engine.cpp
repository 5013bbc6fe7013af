#include "convolution_engine.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "nucdet/core/device_timer.hpp"
#include "nucdet/ops/add.hpp"
#include "nucdet/ops/conv2d_direct.hpp"
#include "nucdet/ops/pad_channels.hpp"

#include "check.hpp"
#include "convolution_plan.hpp"

namespace nucdet::cuda {

namespace {

using ops::Conv2dProblem;
using ops::Epilogue;
using Kind = ops::Fused::Kind;

template <class T>
MapStrides strides_of(const View<T>& v) {
  return {v.image_stride, v.row_stride, v.pixel_stride};
}
template <class T>
bool has_work(const Epilogue<T>& e) {
  return e.bias != nullptr || e.residual.data != nullptr || e.first.kind != Kind::none || e.last.kind != Kind::none;
}

/// Engines are free to turn NaN into 0 in a ReLU; ours keeps it, so that a broken network is noticed.
template <class T>
bool keeps_nan(const Epilogue<T>& e) {
  const auto drops = [](const ops::Fused& f) { return f.kind == Kind::relu || f.kind == Kind::leaky_relu; };
  return !drops(e.first) && !drops(e.last);
}

/// 16-bit engines want channels in eights; the few-channel ends of a network (3 in, 1 out) are padded with zeros, which
/// cannot be where channels are cut into groups.
constexpr Index kChannelQuantum = 8;
constexpr Index rounded(Index channels) { return (channels + kChannelQuantum - 1) / kChannelQuantum * kChannelQuantum; }
template <class T>
Conv2dProblem padded(Conv2dProblem p) {
  if constexpr (sizeof(T) == 2)
    if (p.groups == 1) p.large.c = rounded(p.large.c), p.small.c = rounded(p.small.c);
  return p;
}

/// y = epilogue(sums), where the sums may lie in y itself.
template <class T>
void finish(Context<Cuda>& context, const Epilogue<T>& e, View<const T> sums, View<T> y) {
  if (y.shape.count() == 0) return;
  const ops::detail::FinishRun<T> body{e.bias, e.first, e.last};
  if (e.residual.data != nullptr)
    exec::for_runs<T>("epilogue", context, body, y, sums, e.residual);
  else
    exec::for_runs<T>("epilogue", context, body, y, sums);
}

}  // namespace

struct ConvolutionEngine::Plans {
  CudaOptions options;
  cudaStream_t stream;
  const CudnnApi* api = nullptr;
  cudnnHandle_t handle = nullptr;
  std::unordered_map<ConvolutionRequest, std::unique_ptr<ConvolutionPlan>, RequestHash> made;
  std::vector<std::string> log;

  Plans(const CudaOptions& o, cudaStream_t s) : options(o), stream(s) {
    if (!options.cudnn) {
      log.push_back("cuDNN was switched off: convolutions are plain sums");
      return;
    }
    const CudnnApi& found = cudnn_api();
    if (!found.problem.empty()) {
      log.push_back(message("no cuDNN, convolutions are plain sums: ", found.problem));
      return;
    }
    cudnnStatus_t status = found.create(&handle);
    if (status == CUDNN_STATUS_SUCCESS) status = found.set_stream(handle, stream);
    if (status != CUDNN_STATUS_SUCCESS) throw CudaError(message("cuDNN: no handle: ", found.get_error_string(status)));
    api = &found;
  }
  ~Plans() {
    made.clear();
    if (handle != nullptr) api->destroy(handle);
  }

  /// The engine's work on a request, if there is an engine.
  bool run(Context<Cuda>& context, const ConvolutionRequest& request, ConvolutionArguments arguments) {
    const ConvolutionPlan* const plan = plan_for(context, request, arguments);
    if (plan == nullptr) return false;
    execute(context, *plan, arguments);
    return true;
  }
  const ConvolutionPlan* plan_for(Context<Cuda>& context, const ConvolutionRequest& request,
                                  const ConvolutionArguments& arguments) {
    const auto found = made.find(request);
    if (found != made.end()) return found->second.get();
    std::string why_not;
    std::unique_ptr<ConvolutionPlan> plan = options.measure ? fastest(context, request, arguments, why_not)
                                                            : ConvolutionPlan::find(*api, handle, request, why_not);
    log.push_back(message(text_of(request), ": ", plan ? plan->describe() : why_not));
    return made.emplace(request, std::move(plan)).first->second.get();
  }
  static void execute(Context<Cuda>& context, const ConvolutionPlan& plan, ConvolutionArguments arguments) {
    const DeviceArray<std::byte, Cuda> workspace(context, plan.workspace_bytes());
    arguments.workspace = plan.workspace_bytes() > 0 ? workspace.data() : nullptr;
    plan.run(arguments);
  }
  /// Runs the first few engines on the data at hand, which they overwrite alike, and keeps the quickest.
  std::unique_ptr<ConvolutionPlan> fastest(Context<Cuda>& context, const ConvolutionRequest& request,
                                           const ConvolutionArguments& arguments, std::string& why_not) {
    constexpr std::size_t kTried = 8;
    auto candidates = ConvolutionPlan::candidates(*api, handle, request, kTried, why_not);
    std::unique_ptr<ConvolutionPlan> best;
    double least = std::numeric_limits<double>::infinity();
    for (auto& candidate : candidates) try {
        const double time = milliseconds(context, *candidate, arguments);
        if (time < least) least = time, best = std::move(candidate);
      } catch (const CudaError& error) {  // no memory for its workspace, say: another may do
        why_not += message(why_not.empty() ? "" : "; ", candidate->describe(), ": ", error.what());
      }
    return best;
  }
  static double milliseconds(Context<Cuda>& context, const ConvolutionPlan& plan,
                             const ConvolutionArguments& arguments) {
    constexpr int kRounds = 5;
    double least = std::numeric_limits<double>::infinity();
    for (int round = 0; round <= kRounds; ++round) {
      const double time = milliseconds_of(context, [&] { execute(context, plan, arguments); });
      if (round > 0) least = std::min(least, time);  // the first run loads the kernel
    }
    return least;
  }

  /// A map or weights as the engine reads them: the view itself, or a padded copy of it.
  template <class T>
  struct Operand {
    Tensor<Cuda> copy;
    View<const T> view;

    /// dense: also a slice of a larger map is copied.
    Operand(Context<Cuda>& context, const View<const T>& from, const Shape& wanted, bool dense) : view(from) {
      if (from.shape == wanted && (!dense || from.dense())) return;
      copy = context.make(wanted, dtype_of<T>);
      ops::pad_channels<T>(context, from, copy.view<T>());
      view = std::as_const(copy).view<const T>();
    }
  };

  template <class T>
  ConvolutionRequest request(ConvolutionPass pass, const Conv2dProblem& problem) const {
    ConvolutionRequest r;
    r.pass = pass, r.problem = problem, r.type = r.result = dtype_of<T>;
    r.tensor_cores = options.precision != Precision::fp32, r.deterministic = options.deterministic;
    return r;
  }

  /// Forward and data gradient alike: `in` is read, `out` is written, through one of the two maps each.
  template <class T>
  struct MapPass {
    ConvolutionPass pass;
    Conv2dProblem problem;
    View<const T> in;
    const T* weight;
    Epilogue<T> epilogue;
    View<T> out;
    bool forward() const { return pass == ConvolutionPass::forward; }
  };
  /// dense: on dense copies of maps that are slices, for engines that want no others.
  template <class T>
  bool run_map(Context<Cuda>& context, const MapPass<T>& call, bool dense);
  template <class T>
  bool run_either(Context<Cuda>& context, const MapPass<T>& call) {
    return run_map<T>(context, call, false) ||
           (!(call.in.dense() && call.out.dense()) && run_map<T>(context, call, true));
  }
  template <class T>
  bool run_weights(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                   compute_t<T>* dweight, bool dense);
  template <class T>
  bool run_fused(Context<Cuda>& context, const MapPass<T>& call);
};

/// The engine with the epilogue in its store. False if there is none that can do that.
template <class T>
bool ConvolutionEngine::Plans::run_fused(Context<Cuda>& context, const MapPass<T>& call) {
  ConvolutionRequest r = request<T>(call.pass, call.problem);
  ConvolutionArguments a;
  const bool forward = call.forward();
  (forward ? r.large : r.small) = strides_of(call.in), (forward ? r.small : r.large) = strides_of(call.out);
  (forward ? a.large : a.small) = call.in.data;
  (forward ? r.alignment.large : r.alignment.small) = alignment_of(call.in.data);
  (forward ? r.alignment.small : r.alignment.large) = alignment_of(call.out.data);
  a.weight = call.weight, a.result = call.out.data, r.alignment.weight = alignment_of(call.weight);
  const Epilogue<T>& e = call.epilogue;
  r.first = e.first, r.last = e.last;
  r.bias = e.bias != nullptr, a.bias = e.bias;
  if (r.bias) r.alignment.bias = alignment_of(e.bias);
  r.residual = e.residual.data != nullptr, a.residual = e.residual.data;
  if (r.residual) r.residual_strides = strides_of(e.residual), r.alignment.residual = alignment_of(e.residual.data);
  const ConvolutionPlan* const plan = plan_for(context, r, a);
  if (plan == nullptr) return false;
  execute(context, *plan, a);
  if (forward || plan->covers_large()) return true;
  // No weight meets the last rows and columns of the large map: their sum is zero.
  const UsedExtent& used = plan->used();
  const auto rest = [&](Index y, Index x, Index h, Index w) {
    if (h <= 0 || w <= 0) return;
    const View<T> part = call.out.window(y, x, h, w);
    Epilogue<T> of_part = e;
    if (r.residual) of_part.residual = e.residual.window(y, x, h, w);
    ops::fill<T>(context, static_cast<T>(0.0f), part);
    finish<T>(context, of_part, part, part);
  };
  const Index h = call.out.shape.h, w = call.out.shape.w;
  rest(used.h, 0, h - used.h, w), rest(0, used.w, used.h, w - used.w);
  return true;
}

template <class T>
bool ConvolutionEngine::Plans::run_map(Context<Cuda>& context, const MapPass<T>& call, bool dense) {
  if (api == nullptr) return false;
  const Conv2dProblem wide = padded<T>(call.problem);
  const bool forward = call.forward();
  const Shape &in = forward ? wide.large : wide.small, &out = forward ? wide.small : wide.large;
  const Operand<T> map(context, call.in, in, dense);
  const Operand<T> weight(context, View<const T>(call.weight, ops::detail::weight_grid(call.problem)),
                          ops::detail::weight_grid(wide), false);
  MapPass<T> inner{call.pass, wide, map.view, weight.view.data, call.epilogue, call.out};
  if (out == call.out.shape && (!dense || call.out.dense())) {
    const bool works = has_work(call.epilogue);
    if (((options.fuse && keeps_nan(call.epilogue)) || !works) && run_fused(context, inner)) return true;
    if (!works) return false;
    inner.epilogue = {};
    if (!run_fused(context, inner)) return false;
    finish<T>(context, call.epilogue, call.out, call.out);
    return true;
  }
  Tensor<Cuda> sums = context.make(out, dtype_of<T>);
  inner.out = sums.view<T>(), inner.epilogue = {};
  if (!run_fused(context, inner)) return false;
  finish<T>(context, call.epilogue, std::as_const(sums).view<const T>().channels(0, call.out.shape.c), call.out);
  return true;
}

ConvolutionEngine::ConvolutionEngine(const CudaOptions& options, cudaStream_t stream)
    : plans_(std::make_unique<Plans>(options, stream)) {}
ConvolutionEngine::~ConvolutionEngine() = default;
const std::vector<std::string>& ConvolutionEngine::log() const { return plans_->log; }

template <class T>
bool ConvolutionEngine::forward(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, const T* weight,
                                const Epilogue<T>& epilogue, View<T> y) {
  return plans_->run_either<T>(context, {ConvolutionPass::forward, problem, x, weight, epilogue, y});
}

template <class T>
bool ConvolutionEngine::data_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> dy,
                                      const T* weight, const Epilogue<T>& epilogue, View<T> dx) {
  return plans_->run_either<T>(context, {ConvolutionPass::data_gradient, problem, dy, weight, epilogue, dx});
}

template <class T>
bool ConvolutionEngine::weight_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x,
                                        View<const T> dy, compute_t<T>* dweight) {
  return plans_->run_weights<T>(context, problem, x, dy, dweight, false) ||
         (!(x.dense() && dy.dense()) && plans_->run_weights<T>(context, problem, x, dy, dweight, true));
}

template <class T>
bool ConvolutionEngine::Plans::run_weights(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x,
                                           View<const T> dy, compute_t<T>* dweight, bool dense) {
  if (api == nullptr) return false;
  const Conv2dProblem wide = padded<T>(problem);
  const Operand<T> large(context, x, wide.large, dense), small(context, dy, wide.small, dense);
  ConvolutionRequest r = request<T>(ConvolutionPass::weight_gradient, wide);
  r.large = strides_of(large.view), r.small = strides_of(small.view);
  r.alignment.large = alignment_of(large.view.data), r.alignment.small = alignment_of(small.view.data);
  const View<compute_t<T>> total(dweight, ops::detail::weight_grid(problem));
  const auto add = [&]<class Result>() {
    Tensor<Cuda> part = context.make(ops::detail::weight_grid(wide), dtype_of<Result>);
    r.result = dtype_of<Result>, r.alignment.weight = alignment_of(part.memory());
    const ConvolutionArguments a{large.view.data, small.view.data, nullptr, part.memory(), nullptr, nullptr, nullptr};
    if (!run(context, r, a)) return false;
    ops::add_cropped<Result, compute_t<T>>(context, std::as_const(part).view<const Result>(), total);
    return true;
  };
  // Gradients of 16-bit maps are summed in f32; an engine that writes them so loses nothing.
  if (add.template operator()<compute_t<T>>()) return true;
  if constexpr (sizeof(T) == 2) return add.template operator()<T>();
  return false;
}

NUCDET_CONVOLUTION_ENGINE(float)
NUCDET_CONVOLUTION_ENGINE(bf16)
NUCDET_CONVOLUTION_ENGINE(f16)

}  // namespace nucdet::cuda

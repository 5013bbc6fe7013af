#include "nucdet/ops/conv2d.hpp"
#include "nucdet/ops/conv2d_direct.hpp"
#include "nucdet/ops/depthwise.hpp"

#include "context_state.hpp"
#include "convolution_engine.hpp"

/// The three passes of a convolution on a GPU: cuDNN's, else plain sums. Depthwise ones are our own, which read the
/// maps once: there is no matrix product in them.
namespace nucdet::ops {

namespace {

/// Names the problem in errors of the device.
template <class Work>
void named(const char* op, const Conv2dProblem& p, const Work& work) {
  try {
    work();
  } catch (const CudaError& error) {
    throw CudaError(
        message(op, '(', p.large, " and ", p.small, ", kernel ", p.kernel, ", stride ", p.stride, "): ", error.what()));
  }
}

}  // namespace

template <class T>
void conv2d(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, const T* weight,
            const Epilogue<T>& epilogue, View<T> y) {
  detail::check("conv2d", problem, x.shape, y.shape);
  named("conv2d", problem, [&] {
    if (problem.depthwise()) return depthwise_convolution<T>(context, problem, x, weight, epilogue, y);
    if (!context.state().convolutions->forward(context, problem, x, weight, epilogue, y))
      exec::parallel_for(context, y.shape, detail::DirectConvolution<T>{problem, x, weight, epilogue, y});
  });
}

template <class T>
void conv2d_data_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> dy, const T* weight,
                          const Epilogue<T>& epilogue, View<T> dx) {
  detail::check("conv2d_data_gradient", problem, dx.shape, dy.shape);
  named("conv2d_data_gradient", problem, [&] {
    if (problem.depthwise()) return depthwise_data_gradient<T>(context, problem, dy, weight, epilogue, dx);
    if (!context.state().convolutions->data_gradient(context, problem, dy, weight, epilogue, dx))
      exec::parallel_for(context, dx.shape, detail::DirectDataGradient<T>{problem, dy, weight, epilogue, dx});
  });
}

template <class T>
void conv2d_weight_gradient(Context<Cuda>& context, const Conv2dProblem& problem, View<const T> x, View<const T> dy,
                            compute_t<T>* dweight) {
  detail::check("conv2d_weight_gradient", problem, x.shape, dy.shape);
  named("conv2d_weight_gradient", problem, [&] {
    if (problem.depthwise()) return depthwise_weight_gradient<T>(context, problem, x, dy, dweight);
    if (!context.state().convolutions->weight_gradient(context, problem, x, dy, dweight))
      exec::parallel_for(context, detail::weight_grid(problem),
                         detail::DirectWeightGradient<T>{problem, x, dy, dweight});
  });
}

#define NUCDET_CONVOLUTIONS(T)                                                                                         \
  template void conv2d<T>(Context<Cuda>&, const Conv2dProblem&, View<const T>, const T*, const Epilogue<T>&, View<T>); \
  template void conv2d_data_gradient<T>(Context<Cuda>&, const Conv2dProblem&, View<const T>, const T*,                 \
                                        const Epilogue<T>&, View<T>);                                                  \
  template void conv2d_weight_gradient<T>(Context<Cuda>&, const Conv2dProblem&, View<const T>, View<const T>,          \
                                          compute_t<T>*);
NUCDET_CONVOLUTIONS(float)
NUCDET_CONVOLUTIONS(bf16)
NUCDET_CONVOLUTIONS(f16)

}  // namespace nucdet::ops

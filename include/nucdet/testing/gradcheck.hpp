#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "nucdet/nn/network.hpp"

/// For tests of layers of one's own: central differences in double against the gradients written by hand.
///
///   Context<Cpu> context({.threads = 1});
///   nn::Network<Mine, 3, Cpu> net(context, DType::f64);
///   assert(testing::worst_gradient_error(net, {1, 5, 4, 3}) < 1e-7);
///
/// A layer right at one size may be wrong at another: odd sizes, one pixel, a batch of two, both modes.
namespace nucdet::testing {

/// Uniform numbers in (-1, 1), the same for the same stream.
inline void fill_random(Tensor<Cpu>& t, std::uint64_t stream) {
  RandomStream random{77, stream};
  const Index count = t.shape().count();
  nn::dispatch(t.dtype(), [&]<class T>() {
    T* data = t.view<T>().data;
    for (Index i = 0; i < count; ++i) data[i] = static_cast<T>(random.uniform(-1, 1));
  });
}

/// The largest |analytic - numeric| / (1 + |numeric|) over the input and all parameters (every `stride`-th element).
/// The objective is <dy, y> with a random dy; dropout masks are the same in every pass (same iteration). Parameters and
/// statistics are moved away from their start. 1e9 if the tape is not empty behind the backward pass.
///
/// Slopes with a kink (ReLU, maxima) are wrong only where a step of 1e-6 crosses it. Net: a Network in double on the
/// CPU.
template <class Net>
double worst_gradient_error(Net& net, const Shape& shape, nn::Mode mode = nn::Mode::training, Index stride = 1) {
  Context<Cpu>& context = net.context();
  auto x = context.make(shape, DType::f64);
  fill_random(x, 1);
  auto& values = net.parameters()->values();
  RandomStream random{78, 1};
  for (Index i = 0; i < values.shape().count(); ++i)
    values.template view<double>().data[i] += random.uniform(-0.2, 0.2);
  for (Index i = 0; i < net.parameters()->statistics().shape().count(); ++i)
    net.parameters()->statistics().template view<double>().data[i] += random.uniform(0.0, 0.2);
  const std::vector<double> statistics(
      net.parameters()->statistics().template view<double>().data,
      net.parameters()->statistics().template view<double>().data + net.parameters()->statistics().shape().count());
  const auto run = [&](nn::Tape<Cpu>* tape) {
    std::copy(statistics.begin(), statistics.end(), net.parameters()->statistics().template view<double>().data);
    return net.forward(x, {.mode = mode, .tape = tape, .iteration = 3, .input_gradient = true});
  };
  nn::Tape<Cpu> tape;
  const Tensor<Cpu> y = run(&tape);
  auto dy = context.make(y.shape(), DType::f64);
  fill_random(dy, 2);
  net.zero_gradients();
  const Tensor<Cpu> dx = net.backward(dy, tape);
  if (!tape.empty()) return 1e9;
  const auto objective = [&] {
    const Tensor<Cpu> out = run(nullptr);
    const double *a = out.template view<const double>().data, *b = std::as_const(dy).template view<const double>().data;
    double sum = 0;
    for (Index i = 0; i < out.shape().count(); ++i) sum += a[i] * b[i];
    return sum;
  };
  double worst = 0;
  const auto check = [&](double* value, double analytic) {
    const double step = 1e-6, kept = *value;
    *value = kept + step;
    const double up = objective();
    *value = kept - step;
    const double numeric = (up - objective()) / (2 * step);
    *value = kept;
    worst = std::max(worst, std::abs(analytic - numeric) / (1 + std::abs(numeric)));
  };
  const View<const double> gradient = dx.template view<const double>();
  Index element = 0;
  for (Index n = 0; n < shape.n; ++n)
    for (Index h = 0; h < shape.h; ++h)
      for (Index w = 0; w < shape.w; ++w)
        for (Index c = 0; c < shape.c; ++c)
          if (element++ % stride == 0) check(&x.template view<double>()(n, h, w, c), gradient(n, h, w, c));
  for (const auto& entry : net.parameters()->entries())
    for (Index i = 0; !entry.statistic && i < entry.count; i += stride)
      check(values.template view<double>().data + entry.offset + i,
            net.parameters()->gradients().template view<double>().data[entry.offset + i]);
  return worst;
}

}  // namespace nucdet::testing

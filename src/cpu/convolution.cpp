#include "cpu/convolution.hpp"

#include <algorithm>
#include <utility>

#include "nucdet/ops/conv2d.hpp"

namespace nucdet::cpu {

Store store_at(const Isa& isa, const Correlation& c, const float* padded_bias, Index n, Index row, Index column,
               Index panel) {
  const ops::Epilogue<float>& e = c.epilogue;
  const Index first = panel * isa.panel;
  Store s;
  s.bias = padded_bias != nullptr ? padded_bias + first : nullptr;
  s.first = e.first, s.last = e.last;
  if (e.residual.data != nullptr) {
    s.residual = e.residual.pixel(n, row, column) + first;
    s.residual_row = e.residual.row_stride, s.residual_pixel = e.residual.pixel_stride;
  }
  s.y = c.y.pixel(n, row, column) + first, s.row = c.y.row_stride, s.pixel = c.y.pixel_stride;
  s.channels = std::min<Index>(isa.panel, c.y.shape.c - first);
  return s;
}

DeviceArray<float, Cpu> padded_bias(Context<Cpu>& context, const Isa& isa, const float* bias, Index channels) {
  const Index size = panels(isa, channels) * isa.panel;
  DeviceArray<float, Cpu> padded(context, static_cast<std::size_t>(size));
  std::fill_n(padded.data(), size, 0.0f);
  if (bias != nullptr) std::copy_n(bias, channels, padded.data());
  return padded;
}

namespace {

/// The filters of a problem without groups, or depthwise, and those of a phase of its data gradient, turned.
Filters filters_of(const ops::Conv2dProblem& p, const float* weight) {
  const Index ci = p.group_inputs(), taps = p.kernel.count();
  const Index inputs = p.depthwise() ? 1 : ci;
  return {weight, taps * ci, 1, p.kernel.x * ci, ci, p.small.c, inputs, p.kernel.y, p.kernel.x};
}
Filters turned(const ops::Conv2dProblem& p, const float* weight, const ops::detail::Taps& rows,
               const ops::detail::Taps& columns) {
  Filters f = filters_of(p, weight);
  if (rows.count == 0 || columns.count == 0) {
    f.rows = f.columns = 0;
  } else {
    f.data += (rows.first + (rows.count - 1) * rows.step) * f.by_row +
              (columns.first + (columns.count - 1) * columns.step) * f.by_column;
    f.by_row *= -rows.step, f.by_column *= -columns.step;
    f.rows = rows.count, f.columns = columns.count;
  }
  if (p.depthwise()) return f;
  std::swap(f.by_output, f.by_input), std::swap(f.outputs, f.inputs);
  return f;
}

}  // namespace

void convolution(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, const float* weight,
                 const ops::Epilogue<float>& epilogue, View<float> y) {
  const Isa& isa = *context.kernels()->isa;
  if (p.groups > 1 && !p.depthwise())
    return ops::detail::for_each_group(p, [&](const ops::Conv2dProblem& part, Index in, Index out, Index first) {
      convolution(context, part, x.channels(in, part.large.c), weight + first, epilogue.channels(out, part.small.c),
                  y.channels(out, part.small.c));
    });
  const Correlation c{x, filters_of(p, weight), p.stride, p.dilation, p.pad.y, p.pad.x, epilogue, y, p.depthwise()};
  if (const Winograd* f = winograd_for(isa, context.convolution(), Pass::map, p, p.large.c, p.small.c))
    return correlate_winograd(context, isa, *f, c);
  correlate_direct(context, isa, {&c, 1});
}

/// One correlation with the turned kernel for each phase of the large side.
void data_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> dy, const float* weight,
                   const ops::Epilogue<float>& epilogue, View<float> dx) {
  const Isa& isa = *context.kernels()->isa;
  if (p.groups > 1 && !p.depthwise())
    return ops::detail::for_each_group(p, [&](const ops::Conv2dProblem& part, Index in, Index out, Index first) {
      data_gradient(context, part, dy.channels(out, part.small.c), weight + first, epilogue.channels(in, part.large.c),
                    dx.channels(in, part.large.c));
    });
  const ops::Axes s = p.stride;
  const DeviceArray<Correlation, Cpu> phases(context, static_cast<std::size_t>(s.count()));
  std::size_t count = 0;
  for (Index a = 0; a < s.y; ++a)
    for (Index b = 0; b < s.x; ++b) {
      const ops::detail::Taps ty = ops::detail::rows_of_phase(p, a), tx = ops::detail::columns_of_phase(p, b);
      Correlation c{dy,
                    turned(p, weight, ty, tx),
                    1,
                    {ty.spacing, tx.spacing},
                    (ty.count - 1) * ty.spacing + ty.shift,
                    (tx.count - 1) * tx.spacing + tx.shift,
                    epilogue,
                    dx.phase(a, b, s.y, s.x),
                    p.depthwise()};
      if (epilogue.residual.data != nullptr) c.epilogue.residual = epilogue.residual.phase(a, b, s.y, s.x);
      phases.data()[count++] = c;
    }
  if (const Winograd* f = winograd_for(isa, context.convolution(), Pass::map, p, p.small.c, p.large.c))
    return correlate_winograd(context, isa, *f, phases.data()[0]);
  correlate_direct(context, isa, {phases.data(), count});
}

void weight_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, View<const float> dy,
                     float* dweight) {
  const Isa& isa = *context.kernels()->isa;
  if (p.depthwise()) return weight_gradient_depthwise(context, isa, p, x, dy, dweight);
  if (p.groups > 1)
    return ops::detail::for_each_group(p, [&](const ops::Conv2dProblem& part, Index in, Index out, Index first) {
      weight_gradient(context, part, x.channels(in, part.large.c), dy.channels(out, part.small.c), dweight + first);
    });
  if (const Winograd* f = winograd_for(isa, context.convolution(), Pass::weights, p, p.large.c, p.small.c))
    return weight_gradient_winograd(context, isa, *f, p, x, dy, dweight);
  weight_gradient_direct(context, isa, p, x, dy, dweight);
}

namespace {

constexpr Kernels table(const char* name, const Isa& isa) {
  return {name, &convolution, &data_gradient, &weight_gradient, &isa};
}
// In order of speed.
constexpr Kernels kTables[] = {
    table("portable", kPortable),
#ifdef NUCDET_CPU_X86
    table("avx2", kAvx2),
    table("avx512", kAvx512),
#endif
};

/// Made before every object of usual priority, so that contexts in a program's static objects find the kernels.
struct Registration {
  Registration() {
#ifdef NUCDET_CPU_X86
    __builtin_cpu_init();  // the compiler's own look at the processor may still be to come
#endif
    for (const Kernels& k : kTables)
      if (k.isa->available()) detail::registered_kernels.store(&k, std::memory_order_release);
  }
};
[[gnu::init_priority(101)]] const Registration registration;

}  // namespace

void detail::bring_kernels() {}

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> found;
  for (const Kernels& k : kTables)
    if (k.isa->available()) found.push_back(&k);
  return found;
}

const Kernels* kernels(std::string_view name) {
  for (const Kernels& k : kTables)
    if (k.name == name) {
      if (k.isa->available()) return &k;
      throw ArgumentError(message("cpu::kernels: this machine cannot run '", name, "'"));
    }
  throw ArgumentError(message("cpu::kernels: there are none for '", name, "'"));
}

}  // namespace nucdet::cpu

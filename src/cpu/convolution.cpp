#include "cpu/convolution.hpp"

#include <algorithm>

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

std::vector<float> padded_bias(const Isa& isa, const float* bias, Index channels) {
  std::vector<float> padded(static_cast<std::size_t>(panels(isa, channels) * isa.panel), 0.0f);
  if (bias != nullptr) std::copy_n(bias, channels, padded.begin());
  return padded;
}

void convolution(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, const float* weight,
                 const ops::Epilogue<float>& epilogue, View<float> y) {
  const Isa& isa = *context.kernels()->isa;
  const Index k = p.kernel, ci = p.large.c, co = p.small.c;
  const Correlation c{x, {weight, k * k * ci, 1, k * ci, ci, co, ci, k, k}, p.stride, p.pad, p.pad, epilogue, y};
  if (const Winograd* f = p.stride == 1 ? winograd_for(isa, context.convolution(), Pass::map, k, ci, co) : nullptr)
    return correlate_winograd(context, isa, *f, c);
  correlate_direct(context, isa, {&c, 1});
}

/// One correlation with the turned kernel for each phase of the large side.
void data_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> dy, const float* weight,
                   const ops::Epilogue<float>& epilogue, View<float> dx) {
  const Isa& isa = *context.kernels()->isa;
  const Index k = p.kernel, ci = p.large.c, co = p.small.c, s = p.stride;
  std::vector<Correlation> phases;
  for (Index a = 0; a < s; ++a)
    for (Index b = 0; b < s; ++b) {
      const ops::detail::Taps ty = ops::detail::taps_of_phase(p, a), tx = ops::detail::taps_of_phase(p, b);
      const bool any = ty.count > 0 && tx.count > 0;
      const Index last_y = ty.first + (ty.count - 1) * s, last_x = tx.first + (tx.count - 1) * s;
      const float* last = any ? weight + (last_y * k + last_x) * ci : weight;
      Correlation c{dy,
                    {last, 1, k * k * ci, -s * k * ci, -s * ci, ci, co, any ? ty.count : 0, any ? tx.count : 0},
                    1,
                    ty.count - 1 + ty.shift,
                    tx.count - 1 + tx.shift,
                    epilogue,
                    dx.phase(a, b, s)};
      if (epilogue.residual.data != nullptr) c.epilogue.residual = epilogue.residual.phase(a, b, s);
      phases.push_back(c);
    }
  if (const Winograd* f = s == 1 ? winograd_for(isa, context.convolution(), Pass::map, k, co, ci) : nullptr)
    return correlate_winograd(context, isa, *f, phases[0]);
  correlate_direct(context, isa, phases);
}

void weight_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, View<const float> dy,
                     float* dweight) {
  const Isa& isa = *context.kernels()->isa;
  if (const Winograd* f = p.stride == 1
                              ? winograd_for(isa, context.convolution(), Pass::weights, p.kernel, p.large.c, p.small.c)
                              : nullptr)
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

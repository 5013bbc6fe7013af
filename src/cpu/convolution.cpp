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

/// The filters of a problem without groups, or depthwise; those of one of its phases; and those of a phase of its data
/// gradient, turned.
Filters filters_of(const ops::Conv2dProblem& p, const float* weight) {
  const Index ci = p.group_inputs(), taps = p.kernel.count();
  const Index inputs = p.depthwise() ? 1 : ci;
  return {weight, taps * ci, 1, p.kernel.x * ci, ci, p.small.c, inputs, p.kernel.y, p.kernel.x};
}
Filters taps_of(Filters f, const ops::detail::Taps& rows, const ops::detail::Taps& columns) {
  f.data += rows.first * f.by_row + columns.first * f.by_column;
  f.by_row *= rows.step, f.by_column *= columns.step;
  f.rows = rows.count, f.columns = columns.count;
  return f;
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

/// The context's instructions, or narrower ones for channels that do not fill the registers: where those have
/// transforms for them, or nothing would be in the second half.
const Isa& isa_for(const Context<Cpu>& context, Pass pass, const ops::Conv2dProblem& p, Index inputs, Index outputs) {
  const Isa& isa = *context.kernels()->isa;
  if (isa.narrower == nullptr || p.groups > 1) return isa;
  const auto transforms = [&](const Isa& one) {
    return winograd_for(one, context.convolution(), pass, p, inputs, outputs) != nullptr;
  };
  const bool narrow = !transforms(isa) && (transforms(*isa.narrower) || outputs <= isa.narrower->lanes);
  return narrow ? *isa.narrower : isa;
}

}  // namespace

void convolution(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, const float* weight,
                 const ops::Epilogue<float>& epilogue, View<float> y) {
  const Isa& isa = isa_for(context, Pass::map, p, p.large.c, p.small.c);
  if (p.groups > 1 && !p.depthwise())
    return ops::detail::for_each_group(p, [&](const ops::Conv2dProblem& part, Index in, Index out, Index first) {
      convolution(context, part, x.channels(in, part.large.c), weight + first, epilogue.channels(out, part.small.c),
                  y.channels(out, part.small.c));
    });
  if (const Winograd* f = winograd_for(isa, context.convolution(), Pass::map, p, p.large.c, p.small.c)) {
    const DeviceArray<Correlation, Cpu> terms(context, static_cast<std::size_t>(p.stride.count()));
    std::size_t count = 0;
    ops::detail::for_each_block(p,
                                [&](Index a, Index b, const ops::detail::Taps& rows, const ops::detail::Taps& columns) {
                                  terms.data()[count++] = {x.phase(a, b, p.stride.y, p.stride.x),
                                                           taps_of(filters_of(p, weight), rows, columns),
                                                           1,
                                                           1,
                                                           -rows.shift,
                                                           -columns.shift,
                                                           epilogue,
                                                           y};
                                });
    return correlate_winograd(context, isa, *f, Sharing::output, {terms.data(), count});
  }
  const Correlation c{x, filters_of(p, weight), p.stride, p.dilation, p.pad.y, p.pad.x, epilogue, y, p.depthwise()};
  correlate_direct(context, isa, {&c, 1});
}

bool joins(const Context<Cpu>& context, const ops::Conv2dProblem& p, std::span<const Index> channels) {
  const Isa& isa = isa_for(context, Pass::map, p, p.large.c, p.small.c);
  return p.stride == 1 && winograd_for(isa, context.convolution(), Pass::map, p, p.large.c, p.small.c) != nullptr &&
         std::all_of(channels.begin(), channels.end(), [&](Index count) { return count % isa.lanes == 0; });
}

void joined_convolution(Context<Cpu>& context, const ops::Conv2dProblem& p, std::span<const Source> sources,
                        const float* weight, const ops::Epilogue<float>& epilogue, View<float> y) {
  const Isa& isa = isa_for(context, Pass::map, p, p.large.c, p.small.c);
  const DeviceArray<Correlation, Cpu> terms(context, sources.size());
  Filters filters = filters_of(p, weight);
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const Source& s = sources[k];
    filters.inputs = s.x.shape.c;
    terms.data()[k] = {s.x, filters, 1, 1, p.pad.y + s.top, p.pad.x + s.left, epilogue, y};
    filters.data += filters.inputs * filters.by_input;
  }
  correlate_winograd(context, isa, *winograd_for(isa, context.convolution(), Pass::map, p, p.large.c, p.small.c),
                     Sharing::output, {terms.data(), sources.size()});
}

namespace {

/// Moves the taps of phases so that all of them read the same tiles of x. False: they do not fit into `taps` an axis.
bool align(std::span<Correlation> phases, Index taps) {
  Index off_y = phases[0].off_y, off_x = phases[0].off_x;
  for (const Correlation& c : phases) off_y = std::max(off_y, c.off_y), off_x = std::max(off_x, c.off_x);
  return std::all_of(phases.begin(), phases.end(), [&](Correlation& c) {
    c.place = {off_y - c.off_y, off_x - c.off_x};
    c.off_y = off_y, c.off_x = off_x;
    return c.filters.rows > 0 && c.filters.columns > 0 && c.place.y + c.filters.rows <= taps &&
           c.place.x + c.filters.columns <= taps;
  });
}

}  // namespace

/// One correlation with the turned kernel for each phase of the large side.
void data_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> dy, const float* weight,
                   const ops::Epilogue<float>& epilogue, View<float> dx) {
  const Isa& isa = isa_for(context, Pass::map, p, p.small.c, p.large.c);
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
  if (const Winograd* f = winograd_for(isa, context.convolution(), Pass::map, p, p.small.c, p.large.c)) {
    const DeviceArray<Correlation, Cpu> aligned(context, count);
    std::copy_n(phases.data(), count, aligned.data());
    if (align({aligned.data(), count}, f->r))
      return correlate_winograd(context, isa, *f, Sharing::input, {aligned.data(), count});
  }
  correlate_direct(context, isa, {phases.data(), count});
}

void weight_gradient(Context<Cpu>& context, const ops::Conv2dProblem& p, View<const float> x, View<const float> dy,
                     float* dweight) {
  const Isa& isa = isa_for(context, Pass::weights, p, p.large.c, p.small.c);
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
  return {name, &convolution, &data_gradient, &weight_gradient, &joins, &joined_convolution, &isa};
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

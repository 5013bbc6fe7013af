#pragma once
#include <cstddef>
#include <string>
#include <utility>

#include "nucdet/core/half.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::exec {

/// Where a run of elements lies: image n, channels from c on. For bodies that need to know.
struct RunPlace {
  Index n, c;
};

namespace detail {

template <class Body>
concept KnowsPlace = requires {
  Body::knows_place;
};
/// A body that reads what it then overwrites has `reads_output`.
template <class Body>
concept ReadsOutput = requires {
  Body::reads_output;
};

/// Calls body(in pointers..., out pointer, count) for runs of contiguous elements: a whole row of pixels where the
/// pixels of every view lie side by side, else one pixel's channels. A body that knows its place is called as
/// body(place, in pointers..., out pointer, count), always for one pixel.
template <class T, class Body, std::size_t Inputs>
struct RunKernel {
  Body body;
  View<T> out;
  View<const T> in[Inputs == 0 ? 1 : Inputs];
  bool joined;

  NUCDET_HD void operator()(const Tile& t) const { run(t, std::make_index_sequence<Inputs>{}); }

 private:
  template <std::size_t... K>
  NUCDET_HD void run(const Tile& t, std::index_sequence<K...>) const {
    const Index channels = t.c1 - t.c0;
    if constexpr (KnowsPlace<Body>) {
      for (Index x = t.x0; x < t.x1; ++x)
        body(RunPlace{t.n, t.c0}, in[K].pixel(t.n, t.y, x) + t.c0..., out.pixel(t.n, t.y, x) + t.c0, channels);
    } else {
      if (joined && channels == out.shape.c)
        return body(in[K].pixel(t.n, t.y, t.x0)..., out.pixel(t.n, t.y, t.x0), (t.x1 - t.x0) * channels);
      for (Index x = t.x0; x < t.x1; ++x)
        body(in[K].pixel(t.n, t.y, x) + t.c0..., out.pixel(t.n, t.y, x) + t.c0, channels);
    }
  }
};

}  // namespace detail

template <class T, class Body, std::size_t Inputs>
void run_rows(Context<Cpu>& context, const detail::RunKernel<T, Body, Inputs>& kernel) {
  parallel_for(context, kernel.out.shape, kernel);
}
/// On the GPU a thread takes 16 bytes of each view where they are aligned: cuda/rows.cuh.
template <class T, class Body, std::size_t Inputs>
void run_rows(Context<Cuda>& context, const detail::RunKernel<T, Body, Inputs>& kernel);

/// Element-wise ops: body(in pointers..., out pointer, count) over all elements of views of one shape. The body must
/// treat every element alike (one that has `knows_place` may look at the channel and the image); out may be one of the
/// inputs. Throws ShapeError, naming `op`, if the shapes differ.
template <class T, class Body, class D, class... In>
void for_runs(const char* op, Context<D>& context, const Body& body, View<T> out, const In&... in) {
  const bool same = ((in.shape == out.shape) && ...);
  if (!same) {
    std::string shapes;
    ((shapes += message(' ', in.shape)), ...);
    throw ShapeError(message(op, ": inputs are", shapes, ", the output is ", out.shape));
  }
  if (out.shape.count() == 0) return;
  const bool joined = ((in.pixel_stride == in.shape.c) && ... && (out.pixel_stride == out.shape.c));
  run_rows(context, detail::RunKernel<T, Body, sizeof...(In)>{body, out, {in...}, joined});
}

}  // namespace nucdet::exec

#pragma once
#include <type_traits>

#include "nucdet/exec/parallel_for.hpp"
#include "nucdet/ops/gather.hpp"

/// Up-sampling by a whole factor. Pixel centres are aligned: output u lies at (u + 1/2) / factor - 1/2 of the input,
/// clamped to the first and last pixel (PyTorch's align_corners = false).
namespace nucdet::ops {

namespace detail {

/// The two input pixels that an output pixel mixes along one axis, and the second one's share.
template <class T>
struct Mix {
  Index first, second;
  T share;
  NUCDET_HD Mix(Index u, Index factor, Index size) : numerator_(2 * u + 1 - factor), whole_(2 * factor), size_(size) {
    first = numerator_ <= 0 ? 0 : numerator_ / whole_;
    settle();
  }
  /// To the next output pixel: without the division of whole numbers, which takes as long as a pixel's channels.
  NUCDET_HD void advance() {
    numerator_ += 2;
    first += numerator_ - first * whole_ >= whole_ ? 1 : 0;
    settle();
  }

 private:
  NUCDET_HD void settle() {
    share = numerator_ <= 0 ? T(0) : static_cast<T>(numerator_ - first * whole_) / static_cast<T>(whole_);
    second = first + 1 < size_ ? first + 1 : first;
  }

  // (u + 1/2) / factor - 1/2 = (2 u + 1 - factor) / (2 factor), exact up to the one division
  Index numerator_, whole_, size_;
};

template <class T>
struct UpsampleNearest {
  View<const T> x;
  Index factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const T* const p = x.pixel(t.n, t.y / factor, i / factor);
      T* const q = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) q[c] = p[c];
    }
  }
};

template <class T>
struct UpsampleNearestGradient {
  View<const T> dy;
  Index factor;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      gather_channels(dx.pixel(t.n, t.y, i), t.c0, t.c1, [&](const auto& add) {
        for (Index k = 0; k < factor * factor; ++k)
          add(compute_t<T>(1), dy.pixel(t.n, t.y * factor + k / factor, i * factor + k % factor));
      });
    }
  }
};

template <class T>
struct UpsampleBilinear {
  View<const T> x;
  Index factor;
  View<T> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Mix<compute_t<T>> rows(t.y, factor, x.shape.h);
    const bool single = x.shape.c == 1 && x.pixel_stride == 1 && y.pixel_stride == 1;
    if (single && factor == 2 && t.x0 == 0 && t.x1 == y.shape.w) return double_row(t, rows);
    Mix<compute_t<T>> columns(t.x0, factor, x.shape.w);
    for (Index i = t.x0; i < t.x1;) {
      const T *const a = x.pixel(t.n, rows.first, columns.first), *const b = x.pixel(t.n, rows.first, columns.second);
      const T *const d = x.pixel(t.n, rows.second, columns.first), *const e = x.pixel(t.n, rows.second, columns.second);
      T* const q = y.pixel(t.n, t.y, i);
      const compute_t<T> share = columns.share;
      const Index first = columns.first;
      columns.advance();
      // Two outputs of the same four inputs share what is mixed along the columns.
      if (i + 1 < t.x1 && columns.first == first) {
        mix<2>(t, a, b, d, e, rows.share, share, columns.share, q, y.pixel(t.n, t.y, i + 1));
        columns.advance(), i += 2;
      } else {
        mix<1>(t, a, b, d, e, rows.share, share, share, q, q), ++i;
      }
    }
  }

 private:
  /// A whole row of one channel, twice as wide: a network's map, of which the general way makes a pixel in ten cycles.
  NUCDET_HD void double_row(const exec::Tile& t, const Mix<compute_t<T>>& rows) const {
    using C = compute_t<T>;
    const T *const a = x.pixel(t.n, rows.first, 0), *const d = x.pixel(t.n, rows.second, 0);
    T* __restrict const q = y.pixel(t.n, t.y, 0);
    const auto mixed = [&](Index k) {
      const C above = static_cast<C>(a[k]);
      return above + rows.share * (static_cast<C>(d[k]) - above);
    };
    const Index last = x.shape.w - 1;
    q[0] = static_cast<T>(mixed(0)), q[2 * last + 1] = static_cast<T>(mixed(last));
    for (Index k = 0; k < last; ++k) {
      const C left = mixed(k), right = mixed(k + 1);
      q[2 * k + 1] = static_cast<T>(left + C(0.25) * (right - left));
      q[2 * k + 2] = static_cast<T>(left + C(0.75) * (right - left));
    }
  }
  /// One or two pixels of y.
  template <int Outputs>
  NUCDET_HD static void mix(const exec::Tile& t, const T* a, const T* b, const T* d, const T* e, compute_t<T> down,
                            compute_t<T> one, compute_t<T> other, T* __restrict q, T* __restrict r) {
    using C = compute_t<T>;
    for (Index c = t.c0; c < t.c1; ++c) {
      const C above = static_cast<C>(a[c]), beyond = static_cast<C>(b[c]);
      const C left = above + down * (static_cast<C>(d[c]) - above),
              right = beyond + down * (static_cast<C>(e[c]) - beyond);
      q[c] = static_cast<T>(left + one * (right - left));
      if constexpr (Outputs == 2) r[c] = static_cast<T>(left + other * (right - left));
    }
  }
};

/// Gathers: an input pixel sums the outputs that mixed it in.
template <class T>
struct UpsampleBilinearGradient {
  View<const T> dy;
  Index factor;
  View<T> dx;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index top = begin(t.y), bottom = end(t.y, dy.shape.h);
    using C = compute_t<T>;
    for (Index i = t.x0; i < t.x1; ++i) {
      const Index left = begin(i), right = end(i, dy.shape.w);
      gather_channels(dx.pixel(t.n, t.y, i), t.c0, t.c1, [&](const auto& add) {
        for (Index u = top; u < bottom; ++u) {
          const C row = weight<C>(u, t.y, dx.shape.h);
          for (Index v = left; v < right; ++v) add(row * weight<C>(v, i, dx.shape.w), dy.pixel(t.n, u, v));
        }
      });
    }
  }

 private:
  /// The weight of input pixel i in output u, which is less than a pixel from it or beyond the outermost centres.
  template <class C>
  NUCDET_HD C weight(Index u, Index i, Index size) const {
    const Index away = 2 * u + 1 - factor - 2 * factor * i;  // in pixels / (2 factor)
    if ((i == 0 && away < 0) || (i == size - 1 && away > 0)) return C(1);
    return C(1) - static_cast<C>(away < 0 ? -away : away) / static_cast<C>(2 * factor);
  }
  /// The outputs that lie within a pixel of input pixel i, at i - 1 < (u + 1/2) / factor - 1/2 < i + 1.
  NUCDET_HD Index begin(Index i) const { return i == 0 ? 0 : (factor * (2 * i - 1) - 1) / 2 + 1; }
  NUCDET_HD Index end(Index i, Index size) const {
    const Index all = factor * (2 * i + 3) / 2;
    return all < size ? all : size;
  }
};

inline void check_upsample(const char* op, const Shape& small, Index factor, const Shape& large) {
  if (factor < 1) throw ArgumentError(message(op, ": factor is ", factor, ", must be >= 1"));
  if (large != Shape{small.n, small.h * factor, small.w * factor, small.c})
    throw ShapeError(message(op, ": ", small, " times ", factor, " is not ", large));
}

}  // namespace detail

template <class T, class D>
void upsample_nearest(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                      View<std::type_identity_t<T>> y) {
  detail::check_upsample("upsample_nearest", x.shape, factor, y.shape);
  exec::parallel_for(context, y.shape, detail::UpsampleNearest<T>{x, factor, y});
}
template <class T, class D>
void upsample_nearest_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Index factor,
                               View<std::type_identity_t<T>> dx) {
  detail::check_upsample("upsample_nearest_gradient", dx.shape, factor, dy.shape);
  exec::parallel_for(context, dx.shape, detail::UpsampleNearestGradient<T>{dy, factor, dx});
}
template <class T, class D>
void upsample_bilinear(Context<D>& context, View<const std::type_identity_t<T>> x, Index factor,
                       View<std::type_identity_t<T>> y) {
  detail::check_upsample("upsample_bilinear", x.shape, factor, y.shape);
  exec::parallel_for(context, y.shape, detail::UpsampleBilinear<T>{x, factor, y});
}
template <class T, class D>
void upsample_bilinear_gradient(Context<D>& context, View<const std::type_identity_t<T>> dy, Index factor,
                                View<std::type_identity_t<T>> dx) {
  detail::check_upsample("upsample_bilinear_gradient", dx.shape, factor, dy.shape);
  exec::parallel_for(context, dx.shape, detail::UpsampleBilinearGradient<T>{dy, factor, dx});
}

}  // namespace nucdet::ops

#pragma once
#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/view.hpp"
#include "nucdet/exec/reduce.hpp"
#include "nucdet/loss/pixel_loss.hpp"

namespace nucdet::loss {

namespace detail {

/// Adds what the loss counts of the target maps of a run of pixels, for the means.
template <class T, class L>
struct SumMaps {
  L loss;
  View<const T> target;
  View<const float> mask;  // without data: every pixel counts

  NUCDET_HD void operator()(const exec::Tile& tile, const exec::ColumnSums<double>& sums) const {
    for (Index k = tile.c0; k < tile.c1; ++k) {
      double sum = 0;  // not in sums: narrow sums of neighbouring strips share a cache line
      if (mask.data == nullptr)
        for (Index x = tile.x0; x < tile.x1; ++x) sum += counted(target.pixel(tile.n, tile.y, x)[k]);
      else
        for (Index x = tile.x0; x < tile.x1; ++x)
          sum += mask(tile.n, tile.y, x, 0) != 0 ? counted(target.pixel(tile.n, tile.y, x)[k]) : 0.0;
      sums(0, k) += sum;
    }
  }

 private:
  NUCDET_HD double counted(T value) const {
    if constexpr (CountingLoss<L>) return static_cast<double>(loss.counted(value));
    return static_cast<double>(value);
  }
};

/// Counts the pixels of a mask.
struct CountPixels {
  View<const float> mask;
  NUCDET_HD void operator()(const exec::Tile& tile, const exec::ColumnSums<double>& sums) const {
    double count = 0;
    for (Index x = tile.x0; x < tile.x1; ++x) count += mask(tile.n, tile.y, x, 0) != 0 ? 1.0 : 0.0;
    sums(0, 0) += count;
  }
};

/// Means of the target maps, for each image and map.
template <class T>
struct LabelMeans {
  const double *sums, *counts;  // counts: of the pixels that count in each image, or null: all do
  double pixels;
  Index maps;
  T* means;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index c = t.c0; c < t.c1; ++c) {
      const double counted = counts != nullptr ? counts[c / maps] : pixels;
      means[c] = counted > 0 ? static_cast<T>(sums[c] / counted) : T(0);
    }
  }
};

/// Adds the loss of a run of pixels and, where asked, writes its gradient.
template <class T, class L>
struct LossOfPixels {
  L loss;
  View<const T> prediction, target;
  View<T> gradient;
  const T* label_mean;     // [n, target maps]
  const float* weight;     // [n], or null for 1 each
  View<const float> mask;  // without data: every pixel counts
  double pixels, samples;

  NUCDET_HD void operator()(const exec::Tile& tile, double* sums) const {
    // One map is the common case; as a constant it leaves no loop over maps.
    const int maps = static_cast<int>(prediction.shape.c);
    if (mask.data == nullptr)
      sums[0] += maps == 1 ? run<1>(tile, 1) : run<0>(tile, maps);
    else
      sums[0] += run<0, true>(tile, maps);
  }
  NUCDET_HD double weight_of(Index n) const { return weight != nullptr ? static_cast<double>(weight[n]) : 1.0; }

 private:
  /// Fixed: the number of maps, 0 for `count`.
  template <int Fixed, bool Masked = false>
  NUCDET_HD double run(const exec::Tile& tile, int count) const {
    const int maps = Fixed > 0 ? Fixed : count;
    const T* mean = label_mean + tile.n * target.shape.c;
    const T factor = static_cast<T>(weight_of(tile.n) / (pixels * samples));
    double sum = 0;
    for (Index x = tile.x0; x < tile.x1; ++x) {
      const T* o = prediction.pixel(tile.n, tile.y, x);
      const T* y = target.pixel(tile.n, tile.y, x);
      if constexpr (Masked)
        if (mask(tile.n, tile.y, x, 0) == 0) {
          sum += leave_out(tile, x, o, maps);
          continue;
        }
      sum += static_cast<double>(loss.value(o, y, mean, maps));
      if (gradient.data == nullptr) continue;
      T* out = gradient.pixel(tile.n, tile.y, x);
      loss.slope(o, y, mean, maps, out);
      for (int k = 0; k < maps; ++k) out[k] *= factor;
    }
    return sum;
  }
  /// A pixel that does not count: 0, and no slope; not a number if a prediction is not finite.
  NUCDET_HD double leave_out(const exec::Tile& tile, Index x, const T* o, int maps) const {
    double zero = 0;
    for (int k = 0; k < maps; ++k) zero += 0 * static_cast<double>(o[k]);
    if (gradient.data != nullptr)
      for (int k = 0; k < maps; ++k) gradient.pixel(tile.n, tile.y, x)[k] = T(0);
    return zero;
  }
};

/// The weighted mean over the samples, from the sums over their pixels.
template <class T, class L>
struct MeanOfSamples {
  LossOfPixels<T, L> of;
  const double* losses;
  double* mean;
  NUCDET_HD void operator()(const exec::Tile&) const {
    double total = 0;
    for (Index n = 0; n < of.prediction.shape.n; ++n) total += of.weight_of(n) * (losses[n] / of.pixels);
    *mean = total / of.samples;
  }
};

template <class T, class L>
void check_fit(const L& loss, const View<const T>& prediction, const View<const T>& target, std::size_t weights,
               const View<T>& gradient, const View<const float>& mask) {
  const Shape p = prediction.shape, t = target.shape;
  if (p.count() == 0) throw ShapeError(message("loss::evaluate: prediction is ", p, ", must not be empty"));
  const int maps = loss.target_maps(static_cast<int>(p.c));
  if (maps < 1) throw ShapeError(message("loss::evaluate: this loss takes no prediction of ", p.c, " maps"));
  if (t != Shape{p.n, p.h, p.w, maps})
    throw ShapeError(
        message("loss::evaluate: target is ", t, ", must be ", Shape{p.n, p.h, p.w, maps}, " for the prediction ", p));
  if (gradient.data != nullptr && gradient.shape != p)
    throw ShapeError(message("loss::evaluate: gradient is ", gradient.shape, ", must be ", p, " like the prediction"));
  if (mask.data != nullptr && mask.shape != Shape{p.n, p.h, p.w, 1})
    throw ShapeError(message("loss::evaluate: mask is ", mask.shape, ", must be ", Shape{p.n, p.h, p.w, 1}));
  if (weights != 0 && weights != static_cast<std::size_t>(p.n))
    throw ShapeError(message("loss::evaluate: ", weights, " sample weights for ", p.n, " samples"));
}

inline void check_weights(std::span<const float> weights) {
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0 && std::isfinite(weights[i])))
      throw ArgumentError(message("loss::evaluate: weight of sample ", i, " is ", weights[i], ", must be >= 0"));
}

}  // namespace detail

/// The same as `evaluate`, with everything in the device's memory and no waiting: weights is null or one a sample, and
/// the value goes to *value.
template <class T, class L, class D>
void evaluate_into(Context<D>& context, const L& loss, View<const std::type_identity_t<T>> prediction,
                   View<const std::type_identity_t<T>> target, const float* weights,
                   View<std::type_identity_t<T>> gradient, double* value, View<const float> mask = {}) {
  static_assert(is_pixel_loss<L>, "nucdet: a loss needs value, slope and target_maps (see loss/pixel_loss.hpp)");
  if constexpr (requires { loss.check(); }) loss.check();
  detail::check_fit<T>(loss, prediction, target, 0, gradient, mask);
  const Shape shape = target.shape;
  const Index means = shape.n * shape.c;
  const double pixels = static_cast<double>(shape.h * shape.w), samples = static_cast<double>(shape.n);
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(means + 2 * shape.n));
  const DeviceArray<T, D> label_means(context, static_cast<std::size_t>(means));
  double *const losses = sums.data() + means, *const counts = mask.data != nullptr ? losses + shape.n : nullptr;
  if (counts != nullptr)
    exec::reduce_columns<double, 1>(context, mask.shape, shape.n, detail::CountPixels{mask}, counts);
  exec::reduce_columns<double, 1>(context, shape, shape.n, detail::SumMaps<T, L>{loss, target, mask}, sums.data());
  exec::parallel_for(context, {1, 1, 1, means},
                     detail::LabelMeans<T>{sums.data(), counts, pixels, shape.c, label_means.data()});
  const detail::LossOfPixels<T, L> kernel{loss,    prediction, target, gradient, label_means.data(),
                                          weights, mask,       pixels, samples};
  exec::reduce_rows<1>(context, {shape.n, shape.h, shape.w, 1}, kernel, losses);
  exec::parallel_for(context, {1, 1, 1, 1}, detail::MeanOfSamples<T, L>{kernel, losses, value});
}

/// The loss of a batch, and its gradient with respect to the prediction.
///   loss = 1/N sum over samples n of weight_n * (mean over the pixels of sample n of value(pixel))
/// prediction: [N, H, W, maps]; target: [N, H, W, loss.target_maps(maps)]. A loss that averages over its maps (the
/// squared errors do) makes this the mean over samples, pixels and maps.
/// sample_weights: N numbers, or none for 1 each; see mix.hpp. gradient: like the prediction, overwritten, exactly the
/// derivative of the value returned; a View without data asks for none. It must not overlap the inputs.
/// mask: [N, H, W, 1], 0 in pixels that do not count, or a View without data: all count. One that does not count has
/// value and slope 0 and no part in the means of the labels; the mean over the pixels stays one over all, so that a
/// pixel that counts has the same part in a batch wherever it lies, and an image without one has none.
/// T is deduced from the gradient, or given: evaluate<float>(context, loss, prediction, target).
/// A non-finite value is returned as it is: the caller decides. Sums are taken in double and in a fixed order: the
/// number of threads does not matter. Throws ShapeError, and ArgumentError for settings or weights out of range.
template <class T, class L, class D>
double evaluate(Context<D>& context, const L& loss, View<const std::type_identity_t<T>> prediction,
                View<const std::type_identity_t<T>> target, std::span<const float> sample_weights = {},
                View<T> gradient = {}, View<const float> mask = {}) {
  static_assert(is_pixel_loss<L>, "nucdet: a loss needs value, slope and target_maps (see loss/pixel_loss.hpp)");
  if constexpr (!is_pixel_loss<L>) {
    return 0;  // the sentence above is all that there is to say
  } else {
    detail::check_weights(sample_weights);
    const DeviceArray<float, D> weights(context, sample_weights.data(), sample_weights.size());
    const DeviceArray<double, D> value(context, 1);
    detail::check_fit<T>(loss, prediction, target, sample_weights.size(), gradient, mask);
    evaluate_into<T>(context, loss, prediction, target, sample_weights.empty() ? nullptr : weights.data(), gradient,
                     value.data(), mask);
    return value.read(context)[0];
  }
}

}  // namespace nucdet::loss

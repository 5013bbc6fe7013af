#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "nucdet/core/ranks.hpp"
#include "nucdet/exec/reduce.hpp"
#include "nucdet/exec/rows.hpp"
#include "nucdet/ops/norm_kernels.hpp"

/// Batch and instance normalisation [Ioffe and Szegedy 2015]. `groups` runs of images share statistics: 1 for batch
/// norm, n for instance norm. Statistics are arrays [groups x channels] in the device's memory, of the type that
/// elements of type T are computed in.
namespace nucdet::ops {

namespace detail {

inline void check_groups(const char* op, const Shape& x, Index groups) {
  if (groups < 1 || x.n % groups != 0 || x.count() == 0)
    throw ShapeError(message(op, ": ", groups, " groups of the images of ", x));
}

/// One element for each group and channel.
inline Shape channel_grid(const Shape& x, Index groups) { return {1, 1, groups, x.c}; }

}  // namespace detail

/// Mean, 1 / sqrt(variance + epsilon) and, unless null, the (biased) variance of each channel.
template <class T, class D>
void norm_statistics(Context<D>& context, View<const std::type_identity_t<T>> x, Index groups, double epsilon,
                     compute_t<T>* mean, compute_t<T>* inverse_deviation, compute_t<T>* variance) {
  using C = compute_t<T>;
  detail::check_groups("norm_statistics", x.shape, groups);
  const Index images = x.shape.n / groups;
  const double count = static_cast<double>(x.shape.pixels() / groups);
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(2 * groups * x.shape.c));
  exec::reduce_columns<C, 2>(context, x.shape, groups, detail::NormMoments<T>{x, images}, sums.data());
  exec::parallel_for(context, detail::channel_grid(x.shape, groups),
                     detail::NormFinish<T>{x, images, sums.data(), count, epsilon, mean, inverse_deviation, variance});
}

/// The statistics of the batches of all ranks together, which have the same size, from those of each: the three arrays
/// [channels] are overwritten.
template <class C, class D>
void join_statistics(Context<D>& context, Ranks& ranks, Index channels, double epsilon, C* mean, C* inverse_deviation,
                     C* variance) {
  const std::size_t each = static_cast<std::size_t>(channels), bytes = each * sizeof(C);
  std::vector<C> mine(2 * each), all(mine.size() * static_cast<std::size_t>(ranks.count())), inverse(each);
  context.download(mine.data(), mean, bytes), context.download(mine.data() + each, variance, bytes);
  ranks.gather(mine.data(), 2 * bytes, all.data());
  const double count = static_cast<double>(ranks.count());
  for (std::size_t c = 0; c < each; ++c) {
    double centre = 0, spread = 0;
    for (std::size_t r = c; r < all.size(); r += 2 * each) centre += static_cast<double>(all[r]) / count;
    for (std::size_t r = c; r < all.size(); r += 2 * each) {
      const double away = static_cast<double>(all[r]) - centre;
      spread += (static_cast<double>(all[r + each]) + away * away) / count;
    }
    mine[c] = static_cast<C>(centre), mine[c + each] = static_cast<C>(spread);
    inverse[c] = static_cast<C>(1 / std::sqrt(spread + epsilon));
  }
  context.upload(mean, mine.data(), bytes), context.upload(variance, mine.data() + each, bytes);
  context.upload(inverse_deviation, inverse.data(), bytes);
}

namespace detail {
/// sums: [count], in the device's memory -> everybody's together, added in the order of ranks.
template <class D>
void join_sums(Context<D>& context, Ranks& ranks, std::size_t count, const double* sums, double* totals) {
  std::vector<double> mine(count), all(count * static_cast<std::size_t>(ranks.count()));
  context.download(mine.data(), sums, count * sizeof(double));
  ranks.gather(mine.data(), count * sizeof(double), all.data());
  std::fill(mine.begin(), mine.end(), 0.0);
  for (std::size_t i = 0; i < all.size(); ++i) mine[i % count] += all[i];
  context.upload(totals, mine.data(), count * sizeof(double));
}
}  // namespace detail

/// Mean and 1 / sqrt(variance + epsilon) of the `channel_groups` equal groups of channels of each image [Wu and He
/// 2018], written for each channel: arrays [n x channels].
template <class T, class D>
void group_statistics(Context<D>& context, View<const std::type_identity_t<T>> x, Index channel_groups, double epsilon,
                      compute_t<T>* mean, compute_t<T>* inverse_deviation) {
  using C = compute_t<T>;
  detail::check_groups("group_statistics", x.shape, x.shape.n);
  if (channel_groups < 1 || x.shape.c % channel_groups != 0)
    throw ShapeError(message("group_statistics: ", channel_groups, " groups of the channels of ", x.shape));
  const double count = static_cast<double>(x.shape.h * x.shape.w);
  const DeviceArray<double, D> sums(context, static_cast<std::size_t>(2 * x.shape.n * x.shape.c));
  exec::reduce_columns<C, 2>(context, x.shape, x.shape.n, detail::NormMoments<T>{x, 1}, sums.data());
  exec::parallel_for(
      context, detail::channel_grid(x.shape, x.shape.n),
      detail::GroupFinish<T>{x, x.shape.c / channel_groups, sums.data(), count, epsilon, mean, inverse_deviation});
}

/// mean and 1 / sqrt(variance + epsilon) from running statistics.
template <class T, class D>
void running_statistics(Context<D>& context, Index channels, const T* running_mean, const T* running_variance,
                        double epsilon, T* mean, T* inverse_deviation) {
  exec::parallel_for(
      context, {1, 1, 1, channels},
      detail::ReadRunning<T>{running_mean, running_variance, static_cast<T>(epsilon), mean, inverse_deviation});
}

/// Moves running statistics towards a batch's by `momentum`; count: pixels of the batch, for the unbiased variance.
template <class T, class D>
void update_running(Context<D>& context, Index channels, double count, double momentum, const T* mean,
                    const T* variance, T* running_mean, T* running_variance) {
  const double unbiased = count > 1 ? count / (count - 1) : 1.0;
  exec::parallel_for(context, {1, 1, 1, channels},
                     detail::MoveRunning<T>{mean, variance, unbiased, momentum, running_mean, running_variance});
}

/// y = f(gamma (x - mean) inverse_deviation + beta). gamma and beta: one a channel, or both null; y may be x. f: an
/// activation, by default none.
template <class T, class D, class F = Same>
void normalize(Context<D>& context, View<const std::type_identity_t<T>> x, Index groups, const compute_t<T>* mean,
               const compute_t<T>* inverse_deviation, const compute_t<T>* gamma, const compute_t<T>* beta,
               View<std::type_identity_t<T>> y, const F& f = {}) {
  using C = compute_t<T>;
  detail::check_groups("normalize", x.shape, groups);
  const Shape grid = detail::channel_grid(x.shape, groups);
  const DeviceArray<C, D> line(context, static_cast<std::size_t>(2 * grid.count()));
  C *const scale = line.data(), *const shift = scale + grid.count();
  exec::parallel_for(context, grid, detail::NormLine<C>{x.shape.c, mean, inverse_deviation, gamma, beta, scale, shift});
  exec::for_runs<T>("normalize", context, detail::ScaleShift<T, F>{scale, shift, x.shape.n / groups, x.shape.c, f}, y,
                    x);
}

/// Gradients of `normalize` after `norm_statistics` (through_statistics: the mean and the deviation move with x) or
/// with given statistics (not). dx: overwritten, not wanted if it has no data; dgamma, dbeta: added to, or null.
/// With an activation f, dy is the slope after it; f's slope is computed again from x. channel_groups: of
/// group_statistics, with `groups` the images; 0 for norm_statistics. ranks: those whose batches had their statistics
/// joined; null: this one alone. dgamma and dbeta are of this rank's batch.
template <class T, class D, class F = Same>
void normalize_gradient(Context<D>& context, View<const std::type_identity_t<T>> x,
                        View<const std::type_identity_t<T>> dy, Index groups, const compute_t<T>* mean,
                        const compute_t<T>* inverse_deviation, const compute_t<T>* gamma, const compute_t<T>* beta,
                        bool through_statistics, View<std::type_identity_t<T>> dx, compute_t<T>* dgamma,
                        compute_t<T>* dbeta, const F& f = {}, Index channel_groups = 0, Ranks* ranks = nullptr) {
  using C = compute_t<T>;
  detail::check_groups("normalize_gradient", x.shape, groups);
  if (x.shape != dy.shape || (dx.data != nullptr && dx.shape != x.shape))
    throw ShapeError(message("normalize_gradient: x is ", x.shape, ", dy ", dy.shape, ", dx ", dx.shape));
  const Index images = x.shape.n / groups;
  const Shape grid = detail::channel_grid(x.shape, groups);
  const std::size_t size = static_cast<std::size_t>(grid.count());
  const DeviceArray<double, D> sums(context, 2 * size);
  const detail::NormSlope<T, F> slope{mean, inverse_deviation, gamma, beta, images, x.shape.c, f};
  exec::reduce_columns<C, 2>(context, x.shape, groups, detail::NormSlopes<T, F>{x, dy, slope}, sums.data());
  const DeviceArray<C, D> plane(context, 3 * size);
  C *const of_dy = plane.data(), *const of_x = of_dy + size, *const constant = of_x + size;
  const DeviceArray<double, D> totals(context, ranks != nullptr ? 2 * size : 0);
  if (ranks != nullptr) detail::join_sums(context, *ranks, 2 * size, sums.data(), totals.data());
  const double count = static_cast<double>(x.shape.pixels() / groups * (ranks != nullptr ? ranks->count() : 1));
  if (channel_groups > 0) {
    const Index in_group = x.shape.c / channel_groups;
    exec::parallel_for(
        context, {1, 1, 1, x.shape.c},
        detail::GroupPlane<C>{sums.data(), groups, x.shape.c, in_group, count * static_cast<double>(in_group), mean,
                              inverse_deviation, gamma, of_dy, of_x, constant, dgamma, dbeta});
  } else {
    exec::parallel_for(
        context, {1, 1, 1, x.shape.c},
        detail::NormPlane<C>{sums.data(), ranks != nullptr ? totals.data() : sums.data(), groups, x.shape.c, count,
                             through_statistics, mean, inverse_deviation, gamma, of_dy, of_x, constant, dgamma, dbeta});
  }
  if (dx.data != nullptr)
    exec::for_runs<T>("normalize_gradient", context, detail::NormDataGradient<T, F>{of_dy, of_x, constant, slope}, dx,
                      x, dy);
}

}  // namespace nucdet::ops

#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/optim/plateau.hpp"  // the third schedule, which needs the validation loss

namespace nucdet::optim {

/// A learning rate that depends on the iteration alone.
template <class S>
concept Schedule = requires(const S& schedule, std::int64_t iteration) {
  { schedule(iteration) } -> std::convertible_to<double>;
  schedule.check();
};

namespace detail {
inline void check_rate(const char* what, double rate, bool zero_allowed) {
  if (!(std::isfinite(rate) && (rate > 0 || (zero_allowed && rate == 0))))
    throw ArgumentError(message(what, " is ", rate, ", must be finite and ", zero_allowed ? ">= 0" : "> 0"));
}
}  // namespace detail

/// Always the same rate.
struct Constant {
  double rate = 1e-2;

  double operator()(std::int64_t) const { return rate; }
  void check() const { detail::check_rate("Constant: rate", rate, true); }
};
static_assert(Schedule<Constant>);

/// Warm-up and half a cosine [Loshchilov and Hutter 2017, without restarts].
///   rate (i + 1) / warmup                                                  for i < warmup
///   floor + (rate - floor) (1 + cos(pi (i - warmup) / (iterations - warmup))) / 2   up to `iterations`, then floor
/// check() throws ArgumentError unless rate > 0, 0 <= floor <= rate and 0 <= warmup < iterations.
struct Cosine {
  double rate = 1e-2;
  std::int64_t iterations = 100000;
  std::int64_t warmup = 0;
  double floor = 0;

  double operator()(std::int64_t iteration) const {
    if (iteration < warmup) return rate * static_cast<double>(iteration + 1) / static_cast<double>(warmup);
    if (iteration >= iterations) return floor;
    const double done = static_cast<double>(iteration - warmup) / static_cast<double>(iterations - warmup);
    return floor + (rate - floor) * 0.5 * (1 + std::cos(3.14159265358979323846 * done));
  }
  void check() const;
};
static_assert(Schedule<Cosine>);

#ifdef NUCDET_INLINE

NUCDET_INLINE void Cosine::check() const {
  detail::check_rate("Cosine: rate", rate, false);
  detail::check_rate("Cosine: floor", floor, true);
  if (floor > rate) throw ArgumentError(message("Cosine: floor is ", floor, ", must be at most the rate, ", rate));
  if (warmup < 0 || warmup >= iterations)
    throw ArgumentError(
        message("Cosine: warmup is ", warmup, ", must be in [0, iterations), iterations is ", iterations));
}

#endif

}  // namespace nucdet::optim

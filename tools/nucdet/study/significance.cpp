#include "significance.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <sstream>

#include "nucdet/core/error.hpp"
#include "nucdet/core/rng.hpp"

namespace nucdet::program::studies {

namespace {

/// P(|T| < t) of Student's distribution: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4.
double student_within(double t, int freedom) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(freedom)));
  const double sine = std::sin(angle), cosine = std::cos(angle), square = cosine * cosine;
  const bool odd = freedom % 2 == 1;
  double term = odd ? cosine : 1, sum = freedom > 1 ? term : 0;
  for (int k = odd ? 3 : 2; k < freedom; k += 2) term *= square * (k - 1) / k, sum += term;
  return odd ? (angle + sine * sum) * 2 / 3.14159265358979323846 : sine * sum;
}

double normal_below(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

std::string with_sign(double value, int digits) {
  std::ostringstream text;
  if (!std::isfinite(value)) return "-";
  text << std::showpos << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

}  // namespace

double student_quantile(double probability, int freedom) {
  if (!(probability > 0 && probability < 1) || freedom < 1)
    throw ArgumentError(message("student_quantile of ", probability, " with ", freedom,
                                " degrees of freedom, wanted (0, 1) and at least 1"));
  const double within = std::abs(2 * probability - 1);
  double low = 0, high = 1;
  while (student_within(high, freedom) < within) high *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = (low + high) / 2;
    (student_within(middle, freedom) < within ? low : high) = middle;
  }
  return probability < 0.5 ? -high : high;
}

Interval mean_interval(const std::vector<double>& values, const Bootstrap& b) {
  if (values.empty() || !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
    throw ArgumentError(message("bootstrap of ", values.size(), " values, wanted finite ones, at least one"));
  if (b.resamples < 100 || !(b.level > 0 && b.level < 1))
    throw ArgumentError(message("bootstrap of ", b.resamples, " resamples at the level ", b.level,
                                ", wanted at least 100 and a level in (0, 1)"));
  if (values.size() == 1) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  const double n = static_cast<double>(values.size());
  std::vector<double> means;
  RandomStream random{b.seed};
  for (int i = 0; i < b.resamples; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < values.size(); ++k)
      sum += values[static_cast<std::size_t>(random.below(static_cast<Index>(values.size())))];
    means.push_back(sum / n);
  }
  std::sort(means.begin(), means.end());
  const double t = student_quantile(0.5 - b.level / 2, static_cast<int>(values.size()) - 1);
  const double tail = normal_below(t * std::sqrt(n / (n - 1)));
  const std::size_t cut = static_cast<std::size_t>(tail * static_cast<double>(means.size()));
  return {means[cut], means[means.size() - 1 - cut]};
}

std::string Difference::text(int digits) const {
  return message(with_sign(mean, digits), " [", with_sign(interval.low, digits), ", ", with_sign(interval.high, digits),
                 "]");
}

Difference paired_difference(const std::vector<double>& a, const std::vector<double>& b, const Bootstrap& bootstrap) {
  if (a.size() != b.size())
    throw ArgumentError(message("paired difference of ", a.size(), " and ", b.size(), " values"));
  std::vector<double> differences;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i] - b[i])) differences.push_back(a[i] - b[i]), sum += differences.back();
  Difference d{std::numeric_limits<double>::quiet_NaN(),
               {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()},
               differences.size(),
               {}};
  if (differences.empty()) return d;
  d.mean = sum / static_cast<double>(differences.size());
  d.interval = mean_interval(differences, bootstrap);
  return d;
}

namespace {

/// The variance of a mean of some values, as they tell it; at least two.
double variance_of_mean(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double v : values) mean += v / n;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return squares / (n - 1) / n;
}

}  // namespace

Difference crossed_difference(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
  if (a.empty() || a.size() != b.size())
    throw ArgumentError(message("difference of ", a.size(), " and ", b.size(), " seeds, wanted as many, at least one"));
  for (std::size_t s = 0; s < a.size(); ++s)
    if (a[s].size() != a[0].size() || b[s].size() != a[0].size())
      throw ArgumentError(
          message("difference of ", a[s].size(), " and ", b[s].size(), " organs with a seed, wanted ", a[0].size()));
  if (a.size() == 1) {
    Difference one = paired_difference(a[0], b[0]);
    one.models = 1;
    return one;
  }
  const double seeds = static_cast<double>(a.size());
  std::vector<double> of_organs;
  std::vector<double> of_seeds(a.size(), 0);
  for (std::size_t organ = 0; organ < a[0].size(); ++organ) {
    double mean = 0;
    for (std::size_t s = 0; s < a.size(); ++s) mean += (a[s][organ] - b[s][organ]) / seeds;
    if (!std::isfinite(mean)) continue;
    of_organs.push_back(mean);
    for (std::size_t s = 0; s < a.size(); ++s) of_seeds[s] += a[s][organ] - b[s][organ];
  }
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Difference d{std::numeric_limits<double>::quiet_NaN(), {-kInfinite, kInfinite}, of_organs.size(), a.size()};
  if (of_organs.empty()) return d;
  const double organs = static_cast<double>(of_organs.size());
  for (double& sum : of_seeds) sum /= organs;
  d.mean = std::accumulate(of_organs.begin(), of_organs.end(), 0.0) / organs;
  if (of_organs.size() < 2) return d;
  const int freedom = static_cast<int>(std::min(of_seeds.size(), of_organs.size())) - 1;
  const double half =
      student_quantile(0.975, freedom) * std::sqrt(variance_of_mean(of_seeds) + variance_of_mean(of_organs));
  d.interval = {d.mean - half, d.mean + half};
  return d;
}

}  // namespace nucdet::program::studies

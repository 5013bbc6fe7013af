#include "significance.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
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
               differences.size()};
  if (differences.empty()) return d;
  d.mean = sum / static_cast<double>(differences.size());
  d.interval = mean_interval(differences, bootstrap);
  return d;
}

}  // namespace nucdet::program::studies

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a few organs say of a difference.
namespace nucdet::program::studies {

/// Student's quantile: P(T < t) = probability, for a whole number of degrees of freedom (at least 1).
double student_quantile(double probability, int freedom);

struct Interval {
  double low = 0, high = 0;
};

struct Bootstrap {
  int resamples = 20'000;
  double level = 0.95;
  std::uint64_t seed = 1;
};

/// An interval of the mean of some values by the bootstrap: their means in samples drawn with replacement, between the
/// expanded percentiles (T. C. Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69,
/// 2015, section 5): plain percentiles of n values are too narrow by sqrt((n - 1) / n) and by the normal's tails for
/// Student's, a third for six organs. The same values in the same order give the same bits. One value says nothing: its
/// interval is infinite. Throws ArgumentError for none, for a value that is not finite and for nonsense in `bootstrap`.
Interval mean_interval(const std::vector<double>& values, const Bootstrap& bootstrap = {});

/// By fewer organs nothing is found at the level 0.95. Means of resamples lie between the smallest and the largest
/// value, so that the interval leaves out 0 wherever all have one sign, which n of them have by chance once in 2^(n -
/// 1) times: five once in 16.
inline constexpr std::size_t kLeastOrgans = 6;

/// The mean of a - b over organs, and its interval.
struct Difference {
  double mean = 0;
  Interval interval{};
  std::size_t organs = 0;
  /// Where one model is tested on all organs: how many such models there are of each kind. One of each tells models
  /// apart, not what they are of.
  std::optional<std::size_t> models{};

  /// Only then is it a finding: there are enough organs and models, and the interval leaves out 0.
  bool found() const {
    return organs >= kLeastOrgans && models.value_or(2) > 1 && (interval.low > 0 || interval.high < 0);
  }
  /// "+0.031 [+0.012, +0.048]"
  std::string text(int digits = 3) const;
};

/// a and b are of the same organs in the same order; pairs of which one is not finite (a distance without hits) are
/// left out. Throws ArgumentError if they are not as many.
Difference paired_difference(const std::vector<double>& a, const std::vector<double>& b,
                             const Bootstrap& bootstrap = {});

/// a[seed][organ]: each model is tested on all organs, so that what a seed changes it changes in all of them at once,
/// and more organs do not tell of it. The mean's variance is that of the seeds' means over their number plus that of
/// the organs' means over theirs, which counts what is in both twice; its interval is Student's 95 % with as many
/// degrees of freedom as the fewer of the two allow, which is never too narrow for a sum of two variances (P. L. Hsu,
/// Contribution to the theory of Student's t-test as applied to the problem of two samples, Statistical Research
/// Memoirs 2, 1938; H. Scheffe, Practical solutions of the Behrens-Fisher problem, JASA 65, 1970). Of one seed:
/// paired_difference, of those two models. Organs of which a pair is not finite are left out. Throws ArgumentError for
/// none or unequal numbers.
Difference crossed_difference(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b);

}  // namespace nucdet::program::studies

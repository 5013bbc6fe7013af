// Parts of `nucdet study` that are not seen from the outside one by one.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "study/contest.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::program;
using namespace nucdet::program::studies;
using Catch::Matchers::Contains;

namespace {

/// The interval by all samples that there are, n to the n, in place of drawn ones.
Interval exact_interval(const std::vector<double>& values, double tail) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < values.size(); ++i) count *= values.size();
  std::vector<double> means;
  for (std::size_t sample = 0; sample < count; ++sample) {
    double sum = 0;
    for (std::size_t i = 0, rest = sample; i < values.size(); ++i, rest /= values.size())
      sum += values[rest % values.size()];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  const auto cut = static_cast<std::size_t>(tail * static_cast<double>(count));
  return {means[cut], means[count - 1 - cut]};
}

/// Scores that are best at one threshold: there all is found, elsewhere nothing.
Scores best_at(double xi, Index nuclei) {
  Scores scores;
  for (const double x : metrics::default_thresholds())
    scores.curve.push_back({x, 0, x == xi ? metrics::Score{nuclei, 0, 0, 0, 0} : metrics::Score{0, 0, nuclei, 0, 0}});
  scores.score = metrics::Score{0, 0, nuclei, 0, 0};
  return scores;
}

Organ organ_of(const std::string& name) {
  const auto part = [&](const char* split) { return make_part(name + ' ' + split, {}); };
  return {name, "data", part("train"), part("val"), TestPart(part("test"))};
}

/// A laboratory whose models are best at one threshold on validation images and at another one on test images.
class Pretended final : public Laboratory {
 public:
  Context<Cpu>& host() override { return context_; }
  Trained train(const Training& t) override {
    asked.push_back(t.label);
    return {};
  }
  Validated validate(const Trained&, const std::filesystem::path&, const PartPtr&) override {
    return {best_at(0.3, 10)};
  }
  Tested test(const Trained&, const std::filesystem::path&, const TestPart&) override { return {best_at(0.8, 10)}; }
  std::size_t unknown() const override { return 0; }
  void decide(std::size_t, const std::string&) override {}
  const Ledger& ledger() const override { return ledger_; }
  Cost cost(const models::NetworkChoice&) override { return {}; }
  double gflop(const models::NetworkChoice& network) override {
    const auto model = models::make_network(context_, network, nn::Start::zeros);
    return 1e-9 * static_cast<double>(model->plan({1, 512, 512, 3}).total_flops());
  }
  std::vector<std::string> blocks(const models::NetworkChoice&) override { return {}; }

  std::vector<std::string> asked{};

 private:
  Context<Cpu> context_{{.threads = 1}};
  Ledger ledger_{Shard{}};
};

}  // namespace

// A choice by test images does not compile: they are no part that is trained on or validated with, and what is found on
// them is not what thresholds are chosen by.
static_assert(!std::is_convertible_v<TestPart, PartPtr> && !std::is_constructible_v<PartPtr, TestPart>);
static_assert(!std::is_assignable_v<PartPtr&, TestPart>);
static_assert(std::is_invocable_v<decltype(share_of), PartPtr, double>);
static_assert(std::is_invocable_v<decltype(&Laboratory::validate), Laboratory&, Trained, std::string, PartPtr>);
template <class Judging>
constexpr bool kChooses =
    std::is_invocable_v<decltype(share_of), Judging, double> ||
    std::is_invocable_v<decltype(&Laboratory::validate), Laboratory&, Trained, std::string, Judging>;
static_assert(!kChooses<TestPart> && !kChooses<const Part&>);
static_assert(!std::is_convertible_v<const Tested*, const Validated*> && !std::is_convertible_v<Tested, Validated>);
static_assert(std::is_invocable_v<decltype(chosen_xi), std::vector<const Validated*>>);
static_assert(!std::is_invocable_v<decltype(chosen_xi), std::vector<const Tested*>>);

TEST_CASE("study: parts differ where groups, sizes or the images of points do") {
  const auto sample = [](const std::string& group, Index height, Index width, std::vector<Point> points) {
    return data::Sample{make_image(height, width, 3, 0.5f), std::move(points), {}, "a", group};
  };
  const auto hash = [](data::Dataset samples) { return make_part("part", std::move(samples))->hash; };
  const Point p{1, 2}, q{3, 1};
  const std::uint64_t one = hash({sample("kidney", 4, 6, {p, q}), sample("liver", 4, 6, {})});
  CHECK(one == hash({sample("kidney", 4, 6, {p, q}), sample("liver", 4, 6, {})}));
  CHECK(one !=
        hash({sample("kidney", 4, 6, {p, q}), sample("kidney", 4, 6, {})}));  // balanced sampling draws by groups
  CHECK(one != hash({sample("kidney", 6, 4, {p, q}), sample("liver", 4, 6, {})}));
  CHECK(one != hash({sample("kidney", 4, 6, {p}), sample("liver", 4, 6, {q})}));
  CHECK(one != hash({sample("kidney", 4, 6, {q, p}), sample("liver", 4, 6, {})}));
}

TEST_CASE("study: a data set is called what its folder is") {
  for (const char* given : {"a/organs", "a/organs/", "a/organs/manifest.csv", "a/../organs/."})
    CHECK(collection_name(given) == "organs");
  const std::string here = std::filesystem::current_path().filename().string();
  for (const char* given : {".", "./", "manifest.csv"}) CHECK(collection_name(given) == here);
}

TEST_CASE("study: Student's quantiles are those of the tables") {
  CHECK(student_quantile(0.75, 1) == Approx(1));  // Cauchy: tan of an eighth of a turn
  CHECK(student_quantile(0.975, 1) == Approx(12.7062).epsilon(1e-5));
  CHECK(student_quantile(0.975, 2) == Approx(4.30265).epsilon(1e-5));
  CHECK(student_quantile(0.975, 5) == Approx(2.57058).epsilon(1e-5));
  CHECK(student_quantile(0.975, 22) == Approx(2.07387).epsilon(1e-5));
  CHECK(student_quantile(0.025, 6) == Approx(-2.44691).epsilon(1e-5));
  CHECK_THROWS_AS(student_quantile(1, 5), ArgumentError);
  CHECK_THROWS_AS(student_quantile(0.5, 0), ArgumentError);
}

TEST_CASE("study: intervals of a mean by hand") {
  const auto is = [](const Interval& i, double low, double high) {
    return std::abs(i.low - low) < 1e-12 && std::abs(i.high - high) < 1e-12;
  };
  // Means of two values: 0, 1/2, 1 with the chances 1/4, 1/2, 1/4. Of the level 0.95 the tails are smaller than 1/4; of
  // 0.2 they are P(Z < -sqrt(2) tan(pi/10)) = 0.323.
  CHECK(is(mean_interval({0, 1}), 0, 1));
  CHECK(is(mean_interval({0, 1}, {.level = 0.2}), 0.5, 0.5));
  CHECK(is(mean_interval({0, 0, 3}), 0, 3));  // (3, 3, 3) has the chance 1/27, the tail is 7e-8
  CHECK(is(mean_interval({2, 2, 2, 2}), 2, 2));
  const Interval one = mean_interval({4});
  CHECK((std::isinf(one.low) && std::isinf(one.high) && one.low < 0 && one.high > 0));
  CHECK_THROWS_AS(mean_interval({}), ArgumentError);
  CHECK_THROWS_AS(mean_interval({1, std::numeric_limits<double>::quiet_NaN()}), ArgumentError);
  CHECK_THROWS_AS(mean_interval({1, 2}, {.level = 1}), ArgumentError);
}

TEST_CASE("study: drawn samples give the interval of all samples, every time") {
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  // Tails: P(Z < sqrt(6/5) t), t of 5 degrees of freedom: -2.5706 at 0.025, -0.7267 at 0.25.
  for (const auto& [level, tail] : {std::pair{0.95, 0.00243}, {0.5, 0.21300}}) {
    const Interval drawn = mean_interval(values, {.level = level}), all = exact_interval(values, tail);
    CHECK(drawn.low == Approx(all.low).margin(0.17));  // means are sixths
    CHECK(drawn.high == Approx(all.high).margin(0.17));
    const Interval again = mean_interval(values, {.level = level});
    CHECK((again.low == drawn.low && again.high == drawn.high));
  }
  const Interval wide = mean_interval(values), narrow = mean_interval(values, {.level = 0.5});
  CHECK((wide.low < narrow.low && narrow.high < wide.high));
  std::vector<double> moved;
  for (const double v : values) moved.push_back(2 * v - 7);
  CHECK(mean_interval(moved).low == Approx(2 * wide.low - 7));
  CHECK(mean_interval(moved).high == Approx(2 * wide.high - 7));
}

TEST_CASE("study: a difference is a finding where its interval leaves out 0") {
  const std::vector<double> a{0.8, 0.7, 0.9, 0.6, 0.75, 0.85};
  std::vector<double> lower;
  for (std::size_t i = 0; i < a.size(); ++i) lower.push_back(a[i] - 0.01 * static_cast<double>(i + 1));
  const Difference up = paired_difference(a, lower), down = paired_difference(lower, a), none = paired_difference(a, a);
  CHECK(up.mean == Approx(0.035));
  CHECK((up.found() && down.found() && !none.found()));
  CHECK(verdict(up) == "higher");
  CHECK(verdict(down) == "lower");
  CHECK(verdict(none) == "no finding");
  CHECK(up.interval.low == Approx(-down.interval.high).margin(0.002));
  CHECK_THAT(up.text(), Contains("+0.035 [+0.0"));
  lower[5] = a[5] + 0.1;  // one organ the other way, by more than all others together
  CHECK_FALSE(paired_difference(a, lower).found());
  // Five that agree do so by chance once in 16 times: their interval leaves out 0, and it is no finding.
  const Difference five = paired_difference({1, 2, 3, 4, 6}, {0, 1, 2, 3, 4});
  CHECK((five.interval.low > 0 && !five.found()));
  CHECK(verdict(five) == "too few organs");
  // A distance without hits is none: its organ does not count. One organ says nothing.
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const Difference two = paired_difference({1, nothing, 3}, {0, 5, 2});
  CHECK((two.organs == 2 && two.mean == 1 && two.interval.low == 1 && two.interval.high == 1));
  CHECK_FALSE(paired_difference({1, nothing}, {0, 1}).found());
  CHECK(paired_difference({1}, {0}).text() == "+1.000 [-, -]");
  CHECK_FALSE(paired_difference({nothing}, {0}).found());
  CHECK_THROWS_AS(paired_difference({1, 2}, {1}), ArgumentError);
}

TEST_CASE("study: of one model tested on all organs the seeds decide") {
  using Values = std::vector<std::vector<double>>;
  const std::vector<double> none(6, 0.0), small{1, 1.1, 0.9, 1, 1.05, 0.95};
  const auto plus = [&](double more) {
    std::vector<double> moved = small;
    for (double& v : moved) v += more;
    return moved;
  };
  // By hand: means of organs vary by 0.025 / 5, seeds by 1 (means 0, 1, 2: variance 1); t of 2 degrees is 4.30265.
  const Difference three = crossed_difference(Values{plus(-1), plus(0), plus(1)}, Values(3, none));
  CHECK(three.mean == Approx(1));
  CHECK(three.interval.high - 1 == Approx(4.30265 * std::sqrt(0.025 / 5 / 6 + 1.0 / 3)).epsilon(1e-5));
  CHECK(1 - three.interval.low == Approx(three.interval.high - 1));
  CHECK((verdict(three) == "no finding" && three.organs == 6 && three.models == std::size_t{3}));
  CHECK(paired_difference(small, none).found());  // organs alone would have found it
  CHECK(verdict(crossed_difference(Values{plus(-0.01), plus(0), plus(0.01)}, Values(3, none))) == "higher");
  CHECK(verdict(crossed_difference(Values(3, none), Values{plus(-0.01), plus(0), plus(0.01)})) == "lower");
  const Difference one = crossed_difference(Values{small}, Values{none});
  CHECK((!one.found() && one.interval.low > 0));
  CHECK(verdict(one) == "one model a network: no verdict");
  // An organ without a distance with one of the seeds is left out with all.
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const Difference two = crossed_difference(Values{{1, 5, 3}, {1, nothing, 3}}, Values(2, {0, 0, 0}));
  CHECK((two.organs == 2 && two.mean == 2));
  CHECK(two.interval.high == Approx(2 + 12.7062 * 1).epsilon(1e-5));  // of means 1 and 3; the seeds agree
  CHECK_THROWS_AS(crossed_difference({}, {}), ArgumentError);
  CHECK_THROWS_AS(crossed_difference(Values{small}, Values(2, none)), ArgumentError);
  CHECK_THROWS_AS(crossed_difference(Values{small, {1}}, Values(2, none)), ArgumentError);
}

TEST_CASE("study: a width by its cost") {
  std::vector<int> asked;
  const auto square = [&](int width) {
    asked.push_back(width);
    return static_cast<double>(width * width);
  };
  CHECK(width_of_cost("a", {4, 8, 16, 32}, square, 60) == 8);
  CHECK(asked == std::vector<int>{4, 8});  // the first that costs more ends it
  CHECK(width_of_cost("a", {4, 8, 16, 32}, square, 220) == 16);
  CHECK(width_of_cost("a", {4, 8}, square, 70) == 8);
  CHECK_THROWS_WITH(width_of_cost("U-Net", {4, 8, 16}, square, 100), Contains("U-Net costs 64 at the width 8"));
  CHECK_THROWS_AS(width_of_cost("a", {}, square, 100), ArgumentError);
  CHECK_THROWS_AS(width_of_cost("a", {8}, square, 49), ArgumentError);  // 64 is more than a quarter above
}

TEST_CASE("study: every network of the paper is built in at about the cost of MicroNet, base 8") {
  Pretended laboratory;
  const double wanted = laboratory.gflop({"micronet", 8});
  CHECK(wanted == Approx(16.0).epsilon(0.01));
  for (const char* name : {"micronet", "frcn", "fcrn-a", "fcrn-b", "unet", "fcn8s", "micronet-lite"}) {
    const Contestant chosen = at_cost(laboratory, {name, {name, 8}}, wanted);
    INFO(name << " base " << chosen.network.base);
    CHECK(std::abs(laboratory.gflop(chosen.network) / wanted - 1) <= 0.25);
    if (chosen.name == "micronet") CHECK(chosen.network.base == 8);
  }
}

TEST_CASE("study: shards share out the trainings in the order in which they are asked for") {
  const std::vector<double> costs{3, 1, 1, 1, 5, 2};
  const std::vector<int> wanted{1, 2, 2, 2, 1, 2};  // 3 | 1 | 1 1 | 1 1 1 | then equal: the first | the second has less
  Ledger first({1, 2}), second({2, 2});
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const std::string key = std::to_string(i);
    CHECK(first.unit(key, key, [&] { return costs[i]; }).mine == (wanted[i] == 1));
    CHECK(second.unit(key, key, [&] { return costs[i]; }).mine == (wanted[i] == 2));
    first.unit("0", "0", [] { return 99.0; });  // asked for again: nothing new
  }
  CHECK(first.units().size() == 6);
  CHECK((first.missing() == 6 && first.missing_of_mine() == 2 && second.missing_of_mine() == 4));
  Unit& done = first.unit("4", "4", [] { return 0.0; });
  done.done = true, done.seconds = 3600, done.device = "cpu, avx2";
  CHECK(first.devices() == std::map<std::string, std::size_t>{{"cpu, avx2", 1}});
  CHECK((first.missing() == 5 && first.missing_of_mine() == 1));
  const std::string plan = plan_text(first, 0);
  CHECK_THAT(plan, Contains("done   4, 1.00 h") && Contains("to do  0, 0.60 h"));  // 5 took an hour
  CHECK_THAT(plan, Contains("6 trainings, 1 done in 1.00 h, 5 to do: about 1.60 h"));
  CHECK_THAT(plan_text(second, 1.0 / 3600), Contains("6 to do: about 13.00 h"));
  second.assume();
  second.unit("6", "chosen later", [] { return 1.0; });
  CHECK_THAT(plan_text(second, 1), Contains("later  chosen later"));
}

TEST_CASE("study: a threshold is that of all organs' validation images together") {
  const Validated small{best_at(0.2, 10)}, large{best_at(0.6, 100)};
  CHECK(chosen_xi({&small}) == 0.2);
  CHECK(chosen_xi({&small, &large}) == 0.6);
  const auto curve = pooled({&small, &large});
  CHECK(curve.size() == metrics::default_thresholds().size());
  CHECK(metrics::best_of(curve).score.hits == 100);
  CHECK(metrics::best_of(curve).score.misses == 10);
  CHECK_THROWS_AS(small.at(0.123), ArgumentError);
}

TEST_CASE("study: test images are judged at the threshold of validation images, and in the asked order") {
  Pretended laboratory;
  const Organ kidney = organ_of("kidney"), liver = organ_of("liver");
  std::vector<Setting> settings;
  for (const char* name : {"a", "b"})
    settings.push_back(
        {name, [name](const Organ& organ, std::uint64_t seed) {
           return Training{message(name, ' ', organ.name, ' ', seed), {}, organ.train, organ.validation, nullptr};
         }});
  const std::vector<Judged> judged = judge(laboratory, {&kidney, &liver}, settings, {1, 2});
  CHECK(laboratory.asked == std::vector<std::string>{"a kidney 1", "a kidney 2", "b kidney 1", "b kidney 2",
                                                     "a liver 1", "a liver 2", "b liver 1", "b liver 2"});
  REQUIRE(judged.size() == 2);
  CHECK(judged[0].xi.at(1) == 0.3);  // not 0.8, which the test images would have
  CHECK(judged[0].by_organ(f1_of) == std::vector<double>{0, 0});
  CHECK(judged[0].validation_f1() == 1);
  CHECK(judged[1].on(liver, recall_of) == std::vector<double>{0, 0});
}

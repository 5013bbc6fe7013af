// Points that lie so close that their pairs are too many to hold.
#include "nucdet/match/hungarian.hpp"

#include "match/points.hpp"
#include "support/catch.hpp"

using namespace nucdet_test;
using match::HungarianMatcher;
using match::Matching;

namespace {

/// Hits and total distance of the assignment when no more than `most` pairs are held.
std::pair<Index, double> thinned(const std::vector<Point>& predicted, const std::vector<Point>& truth, double gate,
                                 std::size_t most) {
  const auto rows = match::detail::sweep(predicted, gate), columns = match::detail::sweep(truth, gate);
  const auto [candidates, taken] = match::detail::assign(rows, columns, gate, most);
  Index hits = 0;
  double total = 0;
  for (const Index k : taken)
    if (k != match::detail::SparseAssignment::kAlone) ++hits, total += candidates[static_cast<std::size_t>(k)].distance;
  return {hits, total};
}

}  // namespace

TEST_CASE("crowds: the nearest pairs first give what all pairs give") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Index n = 150 + static_cast<Index>(seed % 4) * 40, m = 230 - static_cast<Index>(seed % 3) * 60;
    std::vector<Point> predicted = scattered(n, seed % 2 == 0 ? 30 : 14, seed, 0), truth = scattered(m, 26, seed, 1);
    if (seed % 3 == 1) predicted = on_pixels(predicted), truth = on_pixels(truth);
    const Matching all = HungarianMatcher{}(predicted, truth);
    const auto [hits, total] = thinned(predicted, truth, 16, 0);
    INFO("seed " << seed);
    CHECK(hits == all.hits());
    CHECK(total == Approx(all.total_distance()).margin(1e-6));
  }
}

TEST_CASE("crowds: thousands of points at one place and at a few") {
  const std::vector<Point> predicted(4000, {7, 7}), truth(3000, {7, 7});
  const Matching found = HungarianMatcher{}(predicted, truth);
  CHECK(sound(found, predicted, truth, 16));
  CHECK(found.hits() == 3000);
  CHECK(found.total_distance() == 0);

  // Places 20 apart: only the neighbour at 10 is within reach, and the middle ones must share.
  std::vector<Point> left, right;
  for (int i = 0; i < 6000; ++i) left.push_back({20.0 * (i % 3), 0});
  for (int i = 0; i < 6000; ++i) right.push_back({20.0 * (i % 4) - 10, 0});
  const Matching shared = HungarianMatcher{}(left, right);
  CHECK(sound(shared, left, right, 16));
  CHECK(shared.hits() == 6000);
  CHECK(shared.total_distance() == 60000);
}

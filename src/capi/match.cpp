#include <vector>

#include "nucdet/match/hungarian.hpp"
#include "nucdet/metrics/score.hpp"

#include "call.hpp"
#include "nucdet.h"

struct nucdet_matching {
  std::vector<nucdet_pair> pairs;
  nucdet_score score;
};

namespace nucdet::capi {

namespace {

std::vector<Point> points_of(const nucdet_points& given, const char* what) {
  const std::size_t stride = given.stride == 0 ? 2 * sizeof(double) : given.stride;
  if (given.count > 0 && given.xy == nullptr)
    throw ArgumentError(message(what, ": xy is null, and count is ", given.count));
  if (stride < 2 * sizeof(double) || stride % sizeof(double) != 0 || given.count > PTRDIFF_MAX / stride)
    throw ArgumentError(message(what, ": ", given.count, " points, ", stride,
                                " bytes from one to the next, wanted a multiple of 8 from 16 on"));
  std::vector<Point> points(given.count);
  for (std::size_t i = 0; i < given.count; ++i) {
    const double* const p = given.xy + i * (stride / sizeof(double));
    points[i] = {p[0], p[1]};
  }
  return points;
}

nucdet_score score_of(const match::Matching& matching) {
  const metrics::Score s = metrics::score_of(matching);
  return {s.hits,     s.false_alarms, s.misses,          s.precision(),
          s.recall(), s.f1(),         s.distance_mean(), s.distance_deviation()};
}

}  // namespace

}  // namespace nucdet::capi

using namespace nucdet;

nucdet_status nucdet_match(const nucdet_points* predicted, const nucdet_points* truth, double gate,
                           nucdet_matching** result) {
  return capi::guarded([&] {
    auto& out = capi::wanted(result, "result");
    const std::vector<Point> found = capi::points_of(capi::wanted(predicted, "predicted"), "predicted"),
                             wanted = capi::points_of(capi::wanted(truth, "truth"), "truth");
    const match::Matching matching = match::HungarianMatcher{.gate = gate}(found, wanted);
    std::vector<nucdet_pair> pairs;
    for (const auto& pair : matching.pairs) pairs.push_back({pair.predicted, pair.truth, pair.distance});
    out = new nucdet_matching{std::move(pairs), capi::score_of(matching)};
  });
}

size_t nucdet_matching_count(const nucdet_matching* matching) {
  return matching == nullptr ? 0 : matching->pairs.size();
}

const nucdet_pair* nucdet_matching_pairs(const nucdet_matching* matching) {
  return matching == nullptr || matching->pairs.empty() ? nullptr : matching->pairs.data();
}

nucdet_status nucdet_matching_score(const nucdet_matching* matching, nucdet_score* score) {
  return capi::guarded([&] {
    auto& out = capi::wanted(score, "score");
    out = capi::wanted(matching, "matching").score;
  });
}

void nucdet_matching_free(nucdet_matching* matching) { delete matching; }

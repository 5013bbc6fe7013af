#pragma once
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "nucdet/core/rng.hpp"
#include "nucdet/match/matching.hpp"

namespace nucdet_test {

using namespace nucdet;

inline std::vector<Point> scattered(Index count, double side, std::uint64_t seed, std::uint64_t stream) {
  RandomStream random{seed, stream};
  std::vector<Point> points;
  for (Index i = 0; i < count; ++i) points.push_back({random.uniform(0, side), random.uniform(0, side)});
  return points;
}

/// Whole pixels: many equal distances, and points that coincide.
inline std::vector<Point> on_pixels(std::vector<Point> points) {
  for (Point& p : points) p = {std::floor(p.x), std::floor(p.y)};
  return points;
}

/// The same points, shuffled; place[i] is where point i went.
inline std::vector<Point> shuffled(const std::vector<Point>& points, std::uint64_t seed, std::vector<Index>& place) {
  RandomStream random{seed, 99};
  std::vector<Index> order;
  for (std::size_t i = 0; i < points.size(); ++i) order.push_back(static_cast<Index>(i));
  for (Index i = static_cast<Index>(points.size()) - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(random.below(i + 1))]);
  std::vector<Point> result;
  place.assign(points.size(), 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[static_cast<std::size_t>(order[i])] = static_cast<Index>(i);
    result.push_back(points[static_cast<std::size_t>(order[i])]);
  }
  return result;
}

/// Whether the pairs are one to one, in order, within the gate, and say their distances; and the counts are right.
inline bool sound(const match::Matching& m, const std::vector<Point>& predicted, const std::vector<Point>& truth,
                  double gate) {
  std::vector<bool> taken(truth.size(), false);
  Index previous = -1;
  for (const auto& pair : m.pairs) {
    if (pair.predicted <= previous || pair.predicted >= m.predicted || pair.truth < 0 || pair.truth >= m.truth)
      return false;
    const std::size_t i = static_cast<std::size_t>(pair.predicted), j = static_cast<std::size_t>(pair.truth);
    if (taken[j] || pair.distance > gate || pair.distance != std::sqrt(squared_distance(predicted[i], truth[j])))
      return false;
    taken[j] = true, previous = pair.predicted;
  }
  return m.predicted == static_cast<Index>(predicted.size()) && m.truth == static_cast<Index>(truth.size());
}

struct GoldenCase {
  std::string name;
  double gate = 0;
  Index pairs = 0;
  double total = 0;
  Index ungated_pairs = 0;
  double ungated_total = 0;
  std::vector<Point> predicted, truth;
};

/// tests/golden/matching.csv, written by make_matching.py.
inline std::vector<GoldenCase> golden_cases() {
  std::ifstream file(std::string(NUCDET_TEST_DIR) + "/golden/matching.csv");
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells.at(0) == "case")
      cases.push_back({cells.at(1),
                       std::stod(cells.at(2)),
                       std::stol(cells.at(3)),
                       std::stod(cells.at(4)),
                       std::stol(cells.at(5)),
                       std::stod(cells.at(6)),
                       {},
                       {}});
    else
      (cells[0] == "p" ? cases.back().predicted : cases.back().truth)
          .push_back({std::stod(cells.at(1)), std::stod(cells.at(2))});
  }
  return cases;
}

}  // namespace nucdet_test

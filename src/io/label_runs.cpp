#include "label_runs.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace nucdet::io::detail {

namespace {

struct Centroid {
  double x = 0, y = 0, count = 0;

  void add(const LabelRun& run) {
    const double pixels = static_cast<double>(run.end - run.begin);
    x += pixels * static_cast<double>(run.begin + run.end - 1) / 2;
    y += pixels * static_cast<double>(run.y);
    count += pixels;
  }
  Point point() const { return {x / count, y / count}; }
};

/// The first run of a run's component.
std::size_t root_of(std::vector<std::size_t>& parents, std::size_t i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

/// Joins runs that touch, also at corners.
std::vector<std::size_t> components_of(const std::vector<LabelRun>& runs) {
  std::vector<std::size_t> parents(runs.size());
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  const auto join = [&](std::size_t i, std::size_t j) {
    const std::size_t a = root_of(parents, i), b = root_of(parents, j);
    parents[std::max(a, b)] = std::min(a, b);
  };
  std::size_t above = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0 && runs[i - 1].y == runs[i].y && runs[i - 1].end == runs[i].begin) join(i, i - 1);  // cut by a tile
    while (runs[above].y < runs[i].y - 1 || (runs[above].y == runs[i].y - 1 && runs[above].end < runs[i].begin))
      ++above;
    for (std::size_t j = above; j < i && runs[j].y == runs[i].y - 1 && runs[j].begin <= runs[i].end; ++j) join(i, j);
  }
  return parents;
}

}  // namespace

bool are_labels(const std::vector<LabelRun>& runs) {
  return std::any_of(runs.begin(), runs.end(), [&](const LabelRun& run) { return run.value != runs[0].value; });
}

std::vector<Point> centroids_of(const std::vector<LabelRun>& runs) {
  const bool labelled = are_labels(runs);
  std::vector<std::size_t> parents;
  if (!labelled) parents = components_of(runs);
  std::map<std::size_t, Centroid> nuclei;
  for (std::size_t i = 0; i < runs.size(); ++i)
    nuclei[labelled ? std::size_t{runs[i].value} : root_of(parents, i)].add(runs[i]);
  std::vector<Point> points;
  for (const auto& [key, nucleus] : nuclei) points.push_back(nucleus.point());
  return points;
}

}  // namespace nucdet::io::detail

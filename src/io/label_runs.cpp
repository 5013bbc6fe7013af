#include "label_runs.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace nucdet::io::detail {

namespace {

struct Centroid {
  double x = 0, y = 0, count = 0;
  std::uint32_t value = 0;

  void add(const LabelRun& run) {
    const double pixels = static_cast<double>(run.end - run.begin);
    x += pixels * static_cast<double>(run.begin + run.end - 1) / 2;
    y += pixels * static_cast<double>(run.y);
    count += pixels;
  }
  Point point() const { return {x / count, y / count}; }
};

/// The first run of a run's piece.
std::size_t root_of(std::vector<std::size_t>& parents, std::size_t i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

/// Joins runs of a value that touch, also at corners: the first run of each run's piece.
std::vector<std::size_t> pieces_of(const std::vector<LabelRun>& runs) {
  std::vector<std::size_t> parents(runs.size());
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  const auto join = [&](std::size_t i, std::size_t j) {
    if (runs[i].value != runs[j].value) return;
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
  for (std::size_t i = 0; i < runs.size(); ++i) parents[i] = root_of(parents, i);
  return parents;
}

/// Classes are few, and each has many nuclei.
MaskValues values_of(std::size_t values, std::size_t pieces) {
  constexpr std::size_t kMostClasses = 20, kPieces = 4;
  if (values <= 1) return MaskValues::one;
  return values <= kMostClasses && pieces >= kPieces * values ? MaskValues::classes : MaskValues::nuclei;
}

}  // namespace

MaskNuclei nuclei_of(const std::vector<LabelRun>& runs) {
  const std::vector<std::size_t> pieces = pieces_of(runs);
  std::set<std::uint32_t> values;
  std::size_t count = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) values.insert(runs[i].value), count += pieces[i] == i;
  MaskNuclei found{.values = values_of(values.size(), count)};
  found.pieces = count, found.labels = values.size();
  std::map<std::size_t, Centroid> nuclei;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Centroid& nucleus = nuclei[found.values == MaskValues::nuclei ? std::size_t{runs[i].value} : pieces[i]];
    nucleus.add(runs[i]), nucleus.value = runs[i].value;
  }
  for (const auto& [key, nucleus] : nuclei) {
    found.centroids.push_back(nucleus.point()), found.value_of.push_back(nucleus.value);
    found.largest = std::max(found.largest, nucleus.count);
  }
  return found;
}

}  // namespace nucdet::io::detail

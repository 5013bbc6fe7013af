#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "nucdet/core/class_names.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/exec/parallel_for.hpp"

namespace nucdet::detect {

/// The class of one nucleus, and how probable it is.
struct ClassFound {
  int id = kUnknownClass;
  float probability = 0;
};

/// A pixel of a map.
struct PixelPlace {
  Index x, y;
};

namespace detail {

/// The mean of the classes' probabilities (softmax of the scores) over the pixels within kReach of each place.
struct ClassAtPixels {
  static constexpr Index kReach = 2;

  View<const float> scores;  // [1, h, w, classes]
  const PixelPlace* places;
  ClassFound* found;

  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) found[i] = at(places[i].x, places[i].y);
  }

 private:
  NUCDET_HD ClassFound at(Index x, Index y) const {
    const int classes = static_cast<int>(scores.shape.c);
    float sums[kMostClasses] = {};
    float pixels = 0;
    for (Index v = y - kReach; v <= y + kReach; ++v)
      for (Index u = x - kReach; u <= x + kReach; ++u) {
        if (v < 0 || u < 0 || v >= scores.shape.h || u >= scores.shape.w) continue;
        add(scores.pixel(0, v, u), classes, sums);
        pixels += 1;
      }
    if (pixels == 0) return {};
    int best = 0;
    for (int k = 1; k < classes; ++k) best = sums[k] > sums[best] ? k : best;
    return {best, sums[best] / pixels};
  }
  NUCDET_HD static void add(const float* score, int classes, float* sums) {
    float highest = score[0], total = 0;
    for (int k = 1; k < classes; ++k) highest = score[k] > highest ? score[k] : highest;
    for (int k = 0; k < classes; ++k) total += std::exp(score[k] - highest);
    for (int k = 0; k < classes; ++k) sums[k] += std::exp(score[k] - highest) / total;
  }
};

}  // namespace detail

/// The classes of nuclei whose peaks are at `places`. scores: [1, h, w, classes] before the softmax. A place outside
/// gets the class of the pixels that are seen from it, or none. Throws ShapeError for more than kMostClasses.
template <class D>
std::vector<ClassFound> classes_at(Context<D>& context, View<const float> scores, std::span<const PixelPlace> places) {
  if (scores.shape.n != 1 || scores.shape.c < 1 || scores.shape.c > kMostClasses)
    throw ShapeError(
        message("classes_at: scores are ", scores.shape, ", wanted 1xhxw and 1 to ", kMostClasses, " classes"));
  const Index count = static_cast<Index>(places.size());
  if (count == 0) return {};
  const DeviceArray<PixelPlace, D> at(context, places.data(), places.size());
  const DeviceArray<ClassFound, D> found(context, places.size());
  exec::parallel_for(context, {1, 1, count, 1}, detail::ClassAtPixels{scores, at.data(), found.data()});
  return found.read(context);
}

}  // namespace nucdet::detect

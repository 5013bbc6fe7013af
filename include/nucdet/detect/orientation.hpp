#pragma once
#include <array>

#include "nucdet/core/error.hpp"
#include "nucdet/core/rectangle.hpp"
#include "nucdet/exec/parallel_for.hpp"

/// Tissue has no up and no left: a network may look at it in eight ways, and the mean of what it says is steadier than
/// each. The eight are the symmetries of a square: mirror images and quarter turns.
namespace nucdet::detect {

/// One of them: rows and columns exchanged or not, then each read backwards or not.
struct Orientation {
  bool exchanged = false, rows_backwards = false, columns_backwards = false;

  constexpr Shape of(const Shape& s) const { return exchanged ? Shape{s.n, s.w, s.h, s.c} : s; }
  /// Where a rectangle of a map of shape s lies in the reoriented one.
  constexpr Rectangle of(Rectangle r, const Shape& s) const {
    if (rows_backwards) r.y = s.h - r.y - r.height;
    if (columns_backwards) r.x = s.w - r.x - r.width;
    return exchanged ? Rectangle{r.y, r.x, r.height, r.width} : r;
  }
  friend bool operator==(const Orientation&, const Orientation&) = default;
};

/// All eight, those that keep the shape first; the first of all changes nothing.
inline constexpr std::array<Orientation, 8> kOrientations{{{false, false, false},
                                                           {false, false, true},
                                                           {false, true, false},
                                                           {false, true, true},
                                                           {true, false, false},
                                                           {true, false, true},
                                                           {true, true, false},
                                                           {true, true, true}}};

/// How many of them the response map is the mean of. Eight cost eight times as much.
struct Averaging {
  int over = 1;  ///< 1 or 8

  void check() const {
    if (over != 1 && over != 8) throw ArgumentError(message("Averaging: over is ", over, ", must be 1 or 8"));
  }
};

namespace detail {

/// Where a pixel of the map as it was lies in the reoriented one.
struct Reoriented {
  Orientation by;
  Index height, width;  ///< of the map as it was

  NUCDET_HD Index row(Index y, Index x) const { return by.exchanged ? column_of(x) : row_of(y); }
  NUCDET_HD Index column(Index y, Index x) const { return by.exchanged ? row_of(y) : column_of(x); }

 private:
  NUCDET_HD Index row_of(Index y) const { return by.rows_backwards ? height - 1 - y : y; }
  NUCDET_HD Index column_of(Index x) const { return by.columns_backwards ? width - 1 - x : x; }
};

/// y = x reoriented: every pixel of y finds its own in x.
struct Reorient {
  View<const float> x;
  Orientation by;
  View<float> y;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      Index row = by.exchanged ? i : t.y, column = by.exchanged ? t.y : i;
      if (by.rows_backwards) row = x.shape.h - 1 - row;
      if (by.columns_backwards) column = x.shape.w - 1 - column;
      const float* from = x.pixel(t.n, row, column);
      float* to = y.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) to[c] = from[c];
    }
  }
};

/// sum += weight * map turned back.
struct AddTurnedBack {
  View<const float> map;
  Reoriented at;
  float weight;
  View<float> sum;
  NUCDET_HD void operator()(const exec::Tile& t) const {
    for (Index i = t.x0; i < t.x1; ++i) {
      const float* from = map.pixel(t.n, at.row(t.y, i), at.column(t.y, i));
      float* to = sum.pixel(t.n, t.y, i);
      for (Index c = t.c0; c < t.c1; ++c) to[c] += weight * from[c];
    }
  }
};

}  // namespace detail

/// y = x reoriented. Throws ShapeError unless y's shape is by.of(x's).
template <class D>
void reorient(Context<D>& context, View<const float> x, Orientation by, View<float> y) {
  if (y.shape != by.of(x.shape))
    throw ShapeError(message("reorient: input is ", x.shape, ", output ", y.shape, ", wanted ", by.of(x.shape)));
  exec::parallel_for(context, y.shape, detail::Reorient{x, by, y});
}

/// sum += weight * map, a map made of something reoriented, turned back. Throws ShapeError unless the sum's shape is
/// by.of(the map's).
template <class D>
void add_turned_back(Context<D>& context, View<const float> map, Orientation by, float weight, View<float> sum) {
  const Shape whole = by.of(map.shape);
  if (sum.shape != whole)
    throw ShapeError(message("add_turned_back: map is ", whole, " turned back, the sum ", sum.shape));
  exec::parallel_for(context, sum.shape, detail::AddTurnedBack{map, {by, whole.h, whole.w}, weight, sum});
}

}  // namespace nucdet::detect

#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/match/sparse_assignment.hpp"

namespace nucdet::match::detail {

/// SparseAssignment of places, at each of which any number of points coincide: what counts is how many pairs join two
/// places. Successive shortest paths too, each taken by as many points as it lets through.
class PlaceAssignment {
 public:
  /// `predicted` and `truth`: points at each place. Candidates are pairs of places, ordered by predicted place; they
  /// must outlive this.
  PlaceAssignment(std::span<const Index> predicted, std::span<const Index> truth,
                  std::span<const Candidate> candidates);

  /// How many pairs each candidate stands for.
  std::vector<Index> solve();

  /// See SparseAssignment::reduced.
  Cost reduced(const Candidate& c) const {
    return Cost{0, c.distance} - predicted_[at(c.predicted)].potential - truth_[at(c.truth)].potential;
  }

 private:
  static constexpr Index kNone = -1;
  struct Predicted {
    Index points = 0, first = 0;  ///< its candidates begin there
    Cost potential{}, reached{};
    Index seen = kNone, via = kNone;  ///< by which search; the candidate that led back to it
  };
  struct Truth {
    Index room = 0;  ///< points without a partner
    Cost potential{}, reached{};
    Index seen = kNone, settled = kNone, from = kNone;  ///< `from`: the candidate that led to it
    std::vector<Index> taken{};                         ///< candidates that stand for pairs
  };
  struct Visit {
    Cost cost;
    Index truth;
    friend bool operator<(const Visit& a, const Visit& b) {  // for a queue that gives the cheapest
      return b.cost < a.cost || (!(a.cost < b.cost) && b.truth < a.truth);
    }
  };
  /// Where a path ends: at a true place with room, or at a predicted one of which a point is left alone.
  struct End {
    Index truth = kNone, alone = kNone;
    Cost cost{};
  };

  End search(Index start, Index number);
  void look_from(Index i, Cost base, Cost least, Index number);
  void settle(Index start, const End& end);
  Index send(Index start, const End& end, Index most);
  void change(Index k, Index by);
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  std::span<const Candidate> candidates_;
  std::vector<Predicted> predicted_;
  std::vector<Truth> truth_;
  std::vector<Index> flow_, scanned_, led_back_;  // the last two: places of the search, true and predicted
  std::vector<Visit> queue_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE PlaceAssignment::PlaceAssignment(std::span<const Index> predicted, std::span<const Index> truth,
                                               std::span<const Candidate> candidates)
    : candidates_(candidates), predicted_(predicted.size() + 1), truth_(truth.size()), flow_(candidates.size(), 0) {
  for (std::size_t i = 0; i < predicted.size(); ++i) predicted_[i].points = predicted[i];
  for (std::size_t j = 0; j < truth.size(); ++j) truth_[j].room = truth[j];
  for (const Candidate& c : candidates) ++predicted_[at(c.predicted) + 1].first;
  for (std::size_t i = 1; i < predicted_.size(); ++i) predicted_[i].first += predicted_[i - 1].first;
}

NUCDET_INLINE std::vector<Index> PlaceAssignment::solve() {
  Index number = 0;
  for (Index i = 0; i + 1 < static_cast<Index>(predicted_.size()); ++i)
    for (Index left = predicted_[at(i)].points; left > 0;) {
      const End end = search(i, number++);
      settle(i, end);
      left -= send(i, end, left);
    }
  return flow_;
}

/// The cheapest path for a point at `start`.
NUCDET_INLINE PlaceAssignment::End PlaceAssignment::search(Index start, Index number) {
  queue_.clear(), scanned_.clear(), led_back_.clear();
  Cost now{}, base = Cost{} - predicted_[at(start)].potential;
  End alone{kNone, start, base + Cost{1, 0}};
  predicted_[at(start)].seen = number;
  look_from(start, base, now, number);
  for (;;) {
    while (!queue_.empty() && truth_[at(queue_.front().truth)].settled == number) {
      std::pop_heap(queue_.begin(), queue_.end());
      queue_.pop_back();
    }
    if (queue_.empty() || !(queue_.front().cost < alone.cost)) return alone;
    now = queue_.front().cost;
    const Index j = queue_.front().truth;
    std::pop_heap(queue_.begin(), queue_.end());
    queue_.pop_back();
    Truth& place = truth_[at(j)];
    place.settled = number;
    if (place.room > 0) return {j, kNone, now};
    scanned_.push_back(j);
    for (const Index k : place.taken) {
      const Index i = candidates_[at(k)].predicted;
      Predicted& owner = predicted_[at(i)];
      if (owner.seen == number) continue;
      owner.seen = number, owner.via = k, owner.reached = now;
      led_back_.push_back(i);
      base = now - owner.potential;
      if (const Cost cost = base + Cost{1, 0}; cost < alone.cost) alone = {kNone, i, cost};
      look_from(i, base, now, number);
    }
  }
}

/// Offers the partners of predicted place i to the search. Nothing can cost less than `least`, but for rounding.
NUCDET_INLINE void PlaceAssignment::look_from(Index i, Cost base, Cost least, Index number) {
  for (Index k = predicted_[at(i)].first; k < predicted_[at(i) + 1].first; ++k) {
    const Candidate& c = candidates_[at(k)];
    Truth& place = truth_[at(c.truth)];
    if (place.settled == number) continue;
    Cost cost = base + Cost{0, c.distance} - place.potential;
    if (cost < least) cost = least;
    if (place.seen == number && !(cost < place.reached)) continue;
    place.seen = number, place.reached = cost, place.from = k;
    queue_.push_back({cost, c.truth});
    std::push_heap(queue_.begin(), queue_.end());
  }
}

/// See SparseAssignment::settle.
NUCDET_INLINE void PlaceAssignment::settle(Index start, const End& end) {
  predicted_[at(start)].potential = predicted_[at(start)].potential + end.cost;
  for (const Index j : scanned_)
    if (const Cost gain = end.cost - truth_[at(j)].reached; !(gain < Cost{}))
      truth_[at(j)].potential = truth_[at(j)].potential - gain;
  for (const Index i : led_back_)
    if (const Cost gain = end.cost - predicted_[at(i)].reached; !(gain < Cost{}))
      predicted_[at(i)].potential = predicted_[at(i)].potential + gain;
}

/// Sends as many points along the path as it lets through, `most` at most.
NUCDET_INLINE Index PlaceAssignment::send(Index start, const End& end, Index most) {
  std::vector<Index> forth, back;
  for (Index i = end.alone, j = end.truth; i != start;) {
    if (j != kNone) {
      forth.push_back(truth_[at(j)].from);
      i = candidates_[at(forth.back())].predicted;
      if (i == start) break;
    }
    back.push_back(predicted_[at(i)].via);
    j = candidates_[at(back.back())].truth;
  }
  Index through = end.truth == kNone ? most : std::min(most, truth_[at(end.truth)].room);
  for (const Index k : back) through = std::min(through, flow_[at(k)]);
  for (const Index k : forth) change(k, through);
  for (const Index k : back) change(k, -through);
  if (end.truth != kNone) truth_[at(end.truth)].room -= through;
  return through;
}

NUCDET_INLINE void PlaceAssignment::change(Index k, Index by) {
  std::vector<Index>& taken = truth_[at(candidates_[at(k)].truth)].taken;
  if (flow_[at(k)] == 0) taken.push_back(k);
  flow_[at(k)] += by;
  if (flow_[at(k)] == 0) taken.erase(std::find(taken.begin(), taken.end(), k));
}

#endif

}  // namespace nucdet::match::detail

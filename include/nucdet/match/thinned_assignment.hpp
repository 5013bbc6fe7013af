#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/match/candidates.hpp"
#include "nucdet/match/place_assignment.hpp"
#include "nucdet/match/sparse_assignment.hpp"

/// Assignments of points that lie so close that their pairs within the gate are too many to hold: 10,000 on 10,000 at
/// one place are 100 million.
namespace nucdet::match::detail {

/// An assignment: pairs, and which of them each predicted point takes, or kAlone.
struct Assignment {
  std::vector<Candidate> candidates;
  std::vector<Index> taken;
};

/// The best assignment of points in the order of a sweep. Above `most` pairs within the gate, only the nearest of each
/// point are candidates at first. Their assignment gives each point a price, and the prices say which of the other
/// pairs would make it better: those become candidates too, until there are none. So it is as good as that of all pairs
/// (total distances within 1e-9 gates a point), in memory that grows with the points.
Assignment assign(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth, double gate,
                  std::size_t most);

#ifdef NUCDET_INLINE

/// A number for a pair that looks random. Of equally near points each takes other ones: if all took the first few, most
/// would be left alone.
inline std::uint64_t scattered_rank(const Candidate& c) {
  std::uint64_t z = static_cast<std::uint64_t>(c.predicted) * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(c.truth);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/// Keeps of each predicted point the first few pairs by `before`, as pairs come, which is ordered by predicted point.
template <class Before>
class FirstOfEach {
 public:
  FirstOfEach(std::size_t few, const Before& before) : few_(few), before_(before) {}

  void add(const Candidate& c) {
    if (!heap_.empty() && heap_.front().predicted != c.predicted) close();
    if (heap_.size() == few_) {
      if (!before_(c, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), before_);
      heap_.pop_back();
    }
    heap_.push_back(c);
    std::push_heap(heap_.begin(), heap_.end(), before_);
  }
  std::vector<Candidate> take() {
    close();
    return std::move(kept_);
  }

 private:
  void close() {
    kept_.insert(kept_.end(), heap_.begin(), heap_.end());
    heap_.clear();
  }
  std::size_t few_;
  Before before_;
  std::vector<Candidate> heap_, kept_;  // the heap's front is the last by `before_`
};

inline std::vector<Candidate> nearest_candidates(std::span<const SweptPoint> predicted,
                                                 std::span<const SweptPoint> truth, double gate, std::size_t few) {
  FirstOfEach nearest(few, [](const Candidate& a, const Candidate& b) {
    return a.distance != b.distance ? a.distance < b.distance : scattered_rank(a) < scattered_rank(b);
  });
  for_each_within(predicted, truth, gate, [&](const Candidate& c) {
    nearest.add(c);
    return true;
  });
  return nearest.take();
}

/// Adds candidates; each is there once.
inline void merge(std::vector<Candidate>& candidates, const std::vector<Candidate>& more) {
  candidates.insert(candidates.end(), more.begin(), more.end());
  const auto key = [](const Candidate& c) { return std::pair(c.predicted, c.truth); };
  std::sort(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto end =
      std::unique(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); });
  candidates.erase(end, candidates.end());
}

/// The nearest true points of each predicted one and the other way round.
inline std::vector<Candidate> thinned_candidates(std::span<const SweptPoint> predicted,
                                                 std::span<const SweptPoint> truth, double gate, std::size_t few) {
  std::vector<Candidate> candidates = nearest_candidates(predicted, truth, gate, few);
  std::vector<Candidate> back = nearest_candidates(truth, predicted, gate, few);
  for (Candidate& c : back) std::swap(c.predicted, c.truth);
  merge(candidates, back);
  return candidates;
}

/// The places of points in the order of a sweep: points that coincide are one. `index` is the first of them.
struct Places {
  std::vector<SweptPoint> at;
  std::vector<Index> points;  ///< at each

  explicit Places(std::span<const SweptPoint> swept) {
    for (std::size_t i = 0; i < swept.size(); ++i) {
      if (at.empty() || at.back().x != swept[i].x || at.back().y != swept[i].y) {
        at.push_back({swept[i].strip, swept[i].x, swept[i].y, static_cast<Index>(i)});
        points.push_back(0);
      }
      ++points.back();
    }
  }
};

inline bool more_within(std::size_t most, std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth,
                        double gate) {
  std::size_t pairs = 0;
  for_each_within(predicted, truth, gate, [&](const Candidate&) { return ++pairs <= most; });
  return pairs > most;
}

/// Candidates are pairs of places; says how many pairs of points join each.
inline std::vector<Index> join_places(const Places& predicted, const Places& truth, double gate, std::size_t most,
                                      std::vector<Candidate>& candidates) {
  constexpr std::size_t kFew = 24;
  const bool all = !more_within(most, predicted.at, truth.at, gate);
  candidates =
      all ? candidates_within(predicted.at, truth.at, gate) : thinned_candidates(predicted.at, truth.at, gate, kFew);
  for (;;) {
    PlaceAssignment assignment(predicted.points, truth.points, candidates);
    std::vector<Index> joined = assignment.solve();
    if (all) return joined;
    const Cost enough = Cost{} - Cost{0, 1e-9 * gate};
    FirstOfEach better(
        kFew, [&](const Candidate& a, const Candidate& b) { return assignment.reduced(a) < assignment.reduced(b); });
    for_each_within(predicted.at, truth.at, gate, [&](const Candidate& c) {
      if (assignment.reduced(c) < enough) better.add(c);
      return true;
    });
    const std::vector<Candidate> more = better.take();
    if (more.empty()) return joined;
    merge(candidates, more);
  }
}

NUCDET_INLINE Assignment assign(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth, double gate,
                                std::size_t most) {
  Assignment found;
  if (!more_within(most, predicted, truth, gate)) {
    found.candidates = candidates_within(predicted, truth, gate);
    found.taken =
        SparseAssignment(static_cast<Index>(predicted.size()), static_cast<Index>(truth.size()), found.candidates)
            .solve();
    return found;
  }
  const Places from(predicted), to(truth);
  std::vector<Candidate> candidates;
  const std::vector<Index> joined = join_places(from, to, gate, most, candidates);
  found.taken.assign(predicted.size(), SparseAssignment::kAlone);
  std::vector<Index> next_predicted, next_truth;  // of each place, the next point without a partner
  for (const SweptPoint& p : from.at) next_predicted.push_back(p.index);
  for (const SweptPoint& p : to.at) next_truth.push_back(p.index);
  for (std::size_t k = 0; k < joined.size(); ++k)
    for (Index pair = 0; pair < joined[k]; ++pair) {
      const Index i = next_predicted[static_cast<std::size_t>(candidates[k].predicted)]++;
      found.taken[static_cast<std::size_t>(i)] = static_cast<Index>(found.candidates.size());
      found.candidates.push_back(
          {i, next_truth[static_cast<std::size_t>(candidates[k].truth)]++, candidates[k].distance});
    }
  return found;
}

#endif

}  // namespace nucdet::match::detail

#pragma once
#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/match/candidates.hpp"
#include "nucdet/match/sparse_assignment.hpp"

/// Assignments of points that lie so close that their pairs within the gate are too many to hold: 10,000 on 10,000 at
/// one place are 100 million.
namespace nucdet::match::detail {

/// An assignment: the pairs that were looked at, and the one taken by each predicted point, or kAlone.
struct Assignment {
  std::vector<Candidate> candidates;
  std::vector<Index> taken;
};

/// The best assignment of points in the order of a sweep. Above `most` pairs within the gate, only the nearest of each
/// point are candidates at first. Their assignment gives each point a price, and the prices say which of the other
/// pairs would make it better: those become candidates too, until there are none. So it is as good as that of all pairs
/// (total distances within 1e-9 gates a point), in memory that grows with the points.
Assignment assign(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth, double gate,
                  std::size_t most = std::size_t{1} << 21);

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
  for_each_within(predicted, truth, gate, [&](const Candidate& c) { nearest.add(c); });
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

NUCDET_INLINE Assignment assign(std::span<const SweptPoint> predicted, std::span<const SweptPoint> truth, double gate,
                                std::size_t most) {
  constexpr std::size_t kFew = 24;
  const auto n = static_cast<Index>(predicted.size()), m = static_cast<Index>(truth.size());
  std::size_t pairs = 0;
  for_each_within(predicted, truth, gate, [&](const Candidate&) { ++pairs; });
  const std::size_t all = std::max(most, 32 * (predicted.size() + truth.size()));
  Assignment found;
  found.candidates =
      pairs <= all ? candidates_within(predicted, truth, gate) : thinned_candidates(predicted, truth, gate, kFew);
  for (;;) {
    SparseAssignment assignment(n, m, found.candidates);
    found.taken = assignment.solve();
    if (pairs <= all) return found;
    const Cost enough = Cost{} - Cost{0, 1e-9 * gate};
    FirstOfEach better(
        kFew, [&](const Candidate& a, const Candidate& b) { return assignment.reduced(a) < assignment.reduced(b); });
    for_each_within(predicted, truth, gate, [&](const Candidate& c) {
      if (assignment.reduced(c) < enough) better.add(c);
    });
    const std::vector<Candidate> more = better.take();
    if (more.empty()) return found;
    merge(found.candidates, more);
  }
}

#endif

}  // namespace nucdet::match::detail

#pragma once
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/detect/nucleus.hpp"
#include "nucdet/metrics/counted.hpp"
#include "nucdet/metrics/score.hpp"

namespace nucdet::metrics {

/// How well nuclei are found and told apart. Detection comes first: points are matched without a look at their classes,
/// as HoVer-Net [Graham 2019], PanNuke [Gamper 2020] and MoNuSAC do; then the classes of the pairs are compared. For a
/// class c:
///   hits          pairs of which both have class c
///   false alarms  pairs found as c whose true class is another known one, and unmatched detections of class c
///   misses        pairs of true class c found as another class or as none, and unmatched nuclei of class c
/// A true nucleus whose class is unknown counts for detection only: whatever class is found for it is neither right nor
/// wrong. F1 of a class is HoVer-Net's F_c with all four of its weights 1 (it weighs a matched nucleus of the wrong
/// class twice). Counts of several images are pooled by `add` and +=.
class ClassScore {
 public:
  /// Throws ArgumentError unless 1 <= classes <= kMostClasses.
  explicit ClassScore(int classes);
  /// With such counts, rows of the confusion matrix. Throws ArgumentError unless they are as many as it has, none below
  /// 0.
  ClassScore(int classes, std::vector<Index> counts);

  int classes() const { return classes_; }
  /// The confusion matrix has a row for each true class and a column for each found one, and after them these:
  int unknown() const { return classes_; }   ///< a nucleus of unknown class, a detection without one
  int none() const { return classes_ + 1; }  ///< row: of false alarms, no nucleus is there; column: of missed nuclei
  Index count(int truth, int predicted) const { return counts_[place(truth, predicted)]; }

  /// Adds an image: a matching of its points, and their classes in the same order; none at all if all are unknown.
  /// Throws ArgumentError for classes that are not as many as the points, or none of this score's.
  void add(const match::Matching& matching, std::span<const int> predicted, std::span<const int> truth);
  void add(const CountedMatch& found) { add(found.matching, classes_of(found.predicted), found.truth.classes); }
  /// Matches and adds in one.
  template <match::Matcher M>
  void add(const M& matcher, const std::vector<Nucleus>& predicted, const AnnotatedPoints& truth) {
    add(matcher(centres_of(predicted), truth.points), classes_of(predicted), truth.classes);
  }

  /// Of one class. Distances are not kept.
  Score of(int c) const;
  /// Of all nuclei, whatever their classes. Distances are not kept.
  Score detection() const;
  /// The mean of the classes' F1. A class of which there is neither a nucleus nor a detection is left out; 1 if all
  /// are.
  double mean_f1() const;

  /// Throws ArgumentError for a score of other classes.
  ClassScore& operator+=(const ClassScore& o);

 private:
  std::size_t side() const { return static_cast<std::size_t>(classes_) + 2; }
  std::size_t place(int truth, int predicted) const;
  void check(const char* what, std::span<const int> classes, Index points) const;

  int classes_;
  std::vector<Index> counts_;  ///< rows of the confusion matrix
};

#ifdef NUCDET_INLINE

NUCDET_INLINE ClassScore::ClassScore(int classes) : classes_(classes) {
  if (classes < 1 || classes > kMostClasses)
    throw ArgumentError(message("ClassScore: ", classes, " classes, wanted 1 to ", kMostClasses));
  counts_.assign(side() * side(), 0);
}

NUCDET_INLINE ClassScore::ClassScore(int classes, std::vector<Index> counts) : ClassScore(classes) {
  if (counts.size() != counts_.size() || std::any_of(counts.begin(), counts.end(), [](Index n) { return n < 0; }))
    throw ArgumentError(message("ClassScore: ", counts.size(), " counts, wanted ", counts_.size(), ", none below 0"));
  counts_ = std::move(counts);
}

NUCDET_INLINE void ClassScore::add(const match::Matching& matching, std::span<const int> predicted,
                                   std::span<const int> truth) {
  check("detections", predicted, matching.predicted), check("nuclei", truth, matching.truth);
  const auto at = [this](std::span<const int> of, std::size_t i) {
    return of.empty() || of[i] == kUnknownClass ? unknown() : of[i];
  };
  std::vector<char> found(static_cast<std::size_t>(matching.truth), 0),
      right(static_cast<std::size_t>(matching.predicted), 0);
  for (const auto& pair : matching.pairs) {
    const auto p = static_cast<std::size_t>(pair.predicted), t = static_cast<std::size_t>(pair.truth);
    found[t] = right[p] = 1;
    ++counts_[place(at(truth, t), at(predicted, p))];
  }
  for (std::size_t t = 0; t < found.size(); ++t)
    if (found[t] == 0) ++counts_[place(at(truth, t), none())];
  for (std::size_t p = 0; p < right.size(); ++p)
    if (right[p] == 0) ++counts_[place(none(), at(predicted, p))];
}

NUCDET_INLINE Score ClassScore::of(int c) const {
  Score s{count(c, c), count(none(), c), 0, 0, 0};
  for (int other = 0; other <= none(); ++other) {
    if (other == c) continue;
    s.misses += count(c, other);
    if (other < classes_) s.false_alarms += count(other, c);
  }
  return s;
}

NUCDET_INLINE Score ClassScore::detection() const {
  Score s;
  for (int k = 0; k < none(); ++k) {
    s.false_alarms += count(none(), k), s.misses += count(k, none());
    for (int j = 0; j < none(); ++j) s.hits += count(k, j);
  }
  return s;
}

NUCDET_INLINE double ClassScore::mean_f1() const {
  double sum = 0;
  int counted = 0;
  for (int c = 0; c < classes_; ++c) {
    const Score s = of(c);
    if (s.hits + s.false_alarms + s.misses > 0) sum += s.f1(), ++counted;
  }
  return counted == 0 ? 1.0 : sum / counted;
}

NUCDET_INLINE ClassScore& ClassScore::operator+=(const ClassScore& o) {
  if (o.classes_ != classes_)
    throw ArgumentError(message("ClassScore: scores of ", classes_, " and ", o.classes_, " classes are added"));
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += o.counts_[i];
  return *this;
}

NUCDET_INLINE std::size_t ClassScore::place(int truth, int predicted) const {
  if (truth < 0 || truth > none() || predicted < 0 || predicted > none())
    throw ArgumentError(
        message("ClassScore: row ", truth, ", column ", predicted, " of a matrix of ", side(), " x ", side()));
  return static_cast<std::size_t>(truth) * side() + static_cast<std::size_t>(predicted);
}

NUCDET_INLINE void ClassScore::check(const char* what, std::span<const int> classes, Index points) const {
  if (!classes.empty() && static_cast<Index>(classes.size()) != points)
    throw ArgumentError(message("ClassScore: ", classes.size(), " classes for ", points, ' ', what));
  for (const int c : classes)
    if (c < kUnknownClass || c >= classes_)
      throw ArgumentError(message("ClassScore: class ", c, " among the ", what, ", wanted less than ", classes_));
}

#endif

}  // namespace nucdet::metrics

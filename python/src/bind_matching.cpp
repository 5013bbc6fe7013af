#include <optional>
#include <span>
#include <tuple>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/data/resample.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"
#include "nucdet/metrics/class_score.hpp"
#include "nucdet/metrics/counted.hpp"
#include "nucdet/metrics/score.hpp"
#include "nucdet/models/pixel_size.hpp"

#include "arrays.hpp"
#include "bindings.hpp"

namespace nucdet::python {

namespace {

using metrics::ClassScore, metrics::Score;

/// A matching of what counts, and its places among all that the caller gave.
struct Matched {
  match::Matching matching;
  std::vector<int> predicted, truth;  ///< the places of those that count
  Index all_predicted = 0, all_truth = 0;
};

match::Matching matched(const std::string& method, double gate, std::span<const Point> predicted,
                        std::span<const Point> truth) {
  if (method == "hungarian") return match::HungarianMatcher{gate}(predicted, truth);
  if (method == "greedy") return match::GreedyMatcher{gate}(predicted, truth);
  if (method == "ungated") return match::UngatedThenFilter{gate}(predicted, truth);
  throw ArgumentError(message("match: method '", method, "', wanted hungarian, greedy or ungated"));
}

/// mpp: matched in reference pixels, as `nucdet evaluate` does.
Matched match_points(const PointArray& predicted, const PointArray& truth, double gate, const std::string& method,
                     std::optional<double> mpp, const Rings& regions, const Rings& ignored) {
  const std::vector<Point> found = points_of(predicted, "match: predicted"), there = points_of(truth, "match: truth");
  Areas areas{areas_of(regions), areas_of(ignored)};
  const py::gil_scoped_release unlocked;
  models::check({.mpp = mpp, .scale = {}});
  const double scale = mpp.value_or(models::kReferencePixel) / models::kReferencePixel;
  const auto scaled = [&](Point p) { return mpp ? data::to_reference(p, scale) : p; };
  if (mpp) areas = data::to_reference(std::move(areas), scale);
  std::vector<Nucleus> nuclei;  // their places stand where classes would, to be known again
  AnnotatedPoints annotated;
  for (const Point& p : found) nuclei.push_back({scaled(p), 0, static_cast<int>(nuclei.size())});
  for (const Point& p : there) {
    annotated.classes.push_back(static_cast<int>(annotated.points.size()));
    annotated.points.push_back(scaled(p));
  }
  const auto matcher = [&](std::span<const Point> a, std::span<const Point> b) { return matched(method, gate, a, b); };
  metrics::CountedMatch counted = metrics::match_counted(matcher, areas, std::move(nuclei), std::move(annotated));
  return {std::move(counted.matching), classes_of(counted.predicted), std::move(counted.truth.classes),
          static_cast<Index>(found.size()), static_cast<Index>(there.size())};
}

/// [pairs, 2] of the places of detections and nuclei, and their distances.
py::tuple pairs_of(const Matched& m) {
  const auto count = static_cast<py::ssize_t>(m.matching.pairs.size());
  py::array_t<std::int64_t> places({count, py::ssize_t{2}});
  py::array_t<double> distances(count);
  std::int64_t* place = places.mutable_data();
  double* distance = distances.mutable_data();
  for (const match::Matching::Pair& p : m.matching.pairs) {
    *place++ = m.predicted[static_cast<std::size_t>(p.predicted)];
    *place++ = m.truth[static_cast<std::size_t>(p.truth)], *distance++ = p.distance;
  }
  return py::make_tuple(places, distances);
}

py::tuple counted_of(const Matched& m) {
  const auto places = [](const std::vector<int>& of) {
    return py::array_t<std::int64_t>(py::array(static_cast<py::ssize_t>(of.size()), of.data()));
  };
  return py::make_tuple(places(m.predicted), places(m.truth));
}

/// Of a list for all, those at the places that count. None at all stay none.
std::vector<int> at_places(const std::vector<int>& classes, const std::vector<int>& places, Index all,
                           const char* what) {
  if (classes.empty()) return {};
  if (static_cast<Index>(classes.size()) != all)
    throw ArgumentError(message("ClassScore: ", classes.size(), " classes for ", all, ' ', what));
  std::vector<int> chosen;
  for (const int place : places) chosen.push_back(classes[static_cast<std::size_t>(place)]);
  return chosen;
}

/// A row for each true class and a column for each found one, then those without: see ClassScore.
py::array_t<std::int64_t> confusion_of(const ClassScore& score) {
  const py::ssize_t side = score.none() + 1;
  py::array_t<std::int64_t> counts({side, side});
  std::int64_t* to = counts.mutable_data();
  for (int truth = 0; truth < side; ++truth)
    for (int found = 0; found < side; ++found) *to++ = score.count(truth, found);
  return counts;
}

/// What sum() begins with.
template <class T>
T after_zero(const T& score, int zero) {
  if (zero != 0) throw py::type_error("scores are added to scores");
  return score;
}

std::string described(const char* name, const Score& s) {
  return message(name, "(hits=", s.hits, ", false_alarms=", s.false_alarms, ", misses=", s.misses, ", f1=", s.f1(),
                 ')');
}

void bind_score(py::module_& module) {
  using State = std::tuple<Index, Index, Index, double, double>;
  py::class_<Score>(module, "Score")
      .def(py::init<>())
      .def_readonly("hits", &Score::hits)
      .def_readonly("false_alarms", &Score::false_alarms)
      .def_readonly("misses", &Score::misses)
      .def_property_readonly("precision", &Score::precision)
      .def_property_readonly("recall", &Score::recall)
      .def_property_readonly("f1", &Score::f1)
      .def_property_readonly("distance_mean", &Score::distance_mean)
      .def_property_readonly("distance_deviation", &Score::distance_deviation)
      .def(
          "__add__", [](Score a, const Score& b) { return a += b; }, py::is_operator())
      .def("__radd__", &after_zero<Score>, py::is_operator())
      .def("__repr__", [](const Score& self) { return described("Score", self); })
      .def(py::pickle(
          [](const Score& s) { return State(s.hits, s.false_alarms, s.misses, s.distance_sum, s.distance_squares); },
          [](const State& state) {
            const auto& [hits, false_alarms, misses, sum, squares] = state;
            return Score{hits, false_alarms, misses, sum, squares};
          }));
}

void bind_class_score(py::module_& module) {
  using State = std::tuple<int, std::vector<Index>>;
  py::class_<ClassScore>(module, "ClassScore")
      .def(py::init<int>())
      .def("add",
           [](ClassScore& self, const Matched& m, const std::vector<int>& predicted, const std::vector<int>& truth) {
             self.add(m.matching, at_places(predicted, m.predicted, m.all_predicted, "detections"),
                      at_places(truth, m.truth, m.all_truth, "nuclei"));
           })
      .def("of", &ClassScore::of)
      .def_property_readonly("classes", &ClassScore::classes)
      .def_property_readonly("detection", &ClassScore::detection)
      .def_property_readonly("mean_f1", &ClassScore::mean_f1)
      .def_property_readonly("confusion", &confusion_of)
      .def(
          "__add__", [](ClassScore a, const ClassScore& b) { return a += b; }, py::is_operator())
      .def("__radd__", &after_zero<ClassScore>, py::is_operator())
      .def("__repr__",
           [](const ClassScore& self) {
             return message("ClassScore(classes=", self.classes(), ", mean_f1=", self.mean_f1(),
                            ", detection=", described("Score", self.detection()), ')');
           })
      .def(py::pickle(
          [](const ClassScore& self) {
            const py::array_t<std::int64_t> counts = confusion_of(self);
            return State(self.classes(), std::vector<Index>(counts.data(), counts.data() + counts.size()));
          },
          [](const State& state) { return ClassScore(std::get<0>(state), std::get<1>(state)); }));
}

void bind_matched(py::module_& module) {
  using Pair = std::tuple<Index, Index, double>;
  using State = std::tuple<std::vector<Pair>, std::vector<int>, std::vector<int>, Index, Index>;
  const auto state_of = [](const Matched& m) {
    std::vector<Pair> pairs;
    for (const match::Matching::Pair& p : m.matching.pairs) pairs.emplace_back(p.predicted, p.truth, p.distance);
    return State(pairs, m.predicted, m.truth, m.all_predicted, m.all_truth);
  };
  const auto from_state = [](const State& state) {
    const auto& [pairs, predicted, truth, all_predicted, all_truth] = state;
    Matched m{{{}, static_cast<Index>(predicted.size()), static_cast<Index>(truth.size())},
              predicted,
              truth,
              all_predicted,
              all_truth};
    for (const auto& [a, b, distance] : pairs) m.matching.pairs.push_back({a, b, distance});
    return m;
  };
  py::class_<Matched>(module, "Matching")
      .def_property_readonly("pairs", &pairs_of)
      .def_property_readonly("counted", &counted_of)
      .def_property_readonly("predicted", [](const Matched& m) { return m.matching.predicted; })
      .def_property_readonly("truth", [](const Matched& m) { return m.matching.truth; })
      .def_property_readonly("hits", [](const Matched& m) { return m.matching.hits(); })
      .def_property_readonly("false_alarms", [](const Matched& m) { return m.matching.false_alarms(); })
      .def_property_readonly("misses", [](const Matched& m) { return m.matching.misses(); })
      .def_property_readonly("score", [](const Matched& m) { return metrics::score_of(m.matching); })
      .def("__repr__", [](const Matched& m) { return described("Matching", metrics::score_of(m.matching)); })
      .def(py::pickle(state_of, from_state));
}

}  // namespace

void bind_matching(py::module_& module) {
  bind_matched(module);
  bind_score(module);
  bind_class_score(module);
  module.def("match", &match_points);
}

}  // namespace nucdet::python

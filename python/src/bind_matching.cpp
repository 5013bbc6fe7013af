#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/ungated.hpp"
#include "nucdet/metrics/class_score.hpp"
#include "nucdet/metrics/score.hpp"

#include "arrays.hpp"
#include "bindings.hpp"

namespace nucdet::python {

namespace {

using metrics::ClassScore, metrics::Score;

match::Matching matched(const std::string& method, double gate, const std::vector<Point>& predicted,
                        const std::vector<Point>& truth) {
  if (method == "hungarian") return match::HungarianMatcher{gate}(predicted, truth);
  if (method == "greedy") return match::GreedyMatcher{gate}(predicted, truth);
  if (method == "ungated") return match::UngatedThenFilter{gate}(predicted, truth);
  throw ArgumentError(message("match: method '", method, "', wanted hungarian, greedy or ungated"));
}

match::Matching match_points(const PointArray& predicted, const PointArray& truth, double gate,
                             const std::string& method) {
  const std::vector<Point> found = points_of(predicted, "match: predicted"), there = points_of(truth, "match: truth");
  const py::gil_scoped_release unlocked;
  return matched(method, gate, found, there);
}

/// [pairs, 2] of the numbers of detections and nuclei, and their distances.
py::tuple pairs_of(const match::Matching& matching) {
  const auto count = static_cast<py::ssize_t>(matching.pairs.size());
  py::array_t<std::int64_t> numbers({count, py::ssize_t{2}});
  py::array_t<double> distances(count);
  std::int64_t* number = numbers.mutable_data();
  double* distance = distances.mutable_data();
  for (const match::Matching::Pair& p : matching.pairs)
    *number++ = p.predicted, *number++ = p.truth, *distance++ = p.distance;
  return py::make_tuple(numbers, distances);
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

void bind_score(py::module_& module) {
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
      .def("__add__", [](Score a, const Score& b) { return a += b; });
}

void bind_class_score(py::module_& module) {
  py::class_<ClassScore>(module, "ClassScore")
      .def(py::init<int>())
      .def("add", [](ClassScore& self, const match::Matching& matching, const std::vector<int>& predicted,
                     const std::vector<int>& truth) { self.add(matching, predicted, truth); })
      .def("of", &ClassScore::of)
      .def_property_readonly("detection", &ClassScore::detection)
      .def_property_readonly("mean_f1", &ClassScore::mean_f1)
      .def_property_readonly("confusion", &confusion_of)
      .def("__add__", [](ClassScore a, const ClassScore& b) { return a += b; });
}

}  // namespace

void bind_matching(py::module_& module) {
  using match::Matching;
  py::class_<Matching>(module, "Matching")
      .def_property_readonly("pairs", &pairs_of)
      .def_readonly("predicted", &Matching::predicted)
      .def_readonly("truth", &Matching::truth)
      .def_property_readonly("hits", &Matching::hits)
      .def_property_readonly("false_alarms", &Matching::false_alarms)
      .def_property_readonly("misses", &Matching::misses)
      .def_property_readonly("score", [](const Matching& self) { return metrics::score_of(self); });
  bind_score(module);
  bind_class_score(module);
  module.def("match", &match_points);
}

}  // namespace nucdet::python

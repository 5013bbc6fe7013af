#include "judge.hpp"

#include <utility>

#include "report.hpp"

namespace nucdet::program::studies {

std::vector<metrics::CurvePoint> pooled(const std::vector<const Validated*>& organs) {
  std::vector<metrics::CurvePoint> sum;
  for (const double xi : metrics::default_thresholds()) {
    sum.push_back({xi, 0, {}});
    for (const Validated* organ : organs) sum.back().score += organ->at(xi);
  }
  return sum;
}

double chosen_xi(const std::vector<const Validated*>& organs) { return metrics::best_of(pooled(organs)).xi; }

std::vector<double> Judged::by_organ(Measure measure, bool own) const {
  std::vector<const Organ*> organs;
  std::vector<std::vector<double>> values;
  for (const Outcome& o : outcomes) {
    if (organs.empty() || organs.back() != o.organ) organs.push_back(o.organ), values.emplace_back();
    values.back().push_back(measure(own ? o.tested.score : score(o)));
  }
  std::vector<double> means;
  for (const auto& of_seeds : values) means.push_back(spread_of(of_seeds).mean);
  return means;
}

std::vector<std::vector<double>> Judged::by_seed(Measure measure) const {
  std::vector<std::vector<double>> all;
  for (const auto& of_seed : xi) {
    all.emplace_back();
    for (const Outcome& o : outcomes)
      if (o.seed == of_seed.first) all.back().push_back(measure(score(o)));
  }
  return all;
}

std::vector<double> Judged::thresholds() const {
  std::vector<double> all;
  for (const auto& of_seed : xi) all.push_back(of_seed.second);
  return all;
}

std::vector<double> Judged::on(const Organ& organ, Measure measure) const {
  std::vector<double> values;
  for (const Outcome& o : outcomes)
    if (o.organ == &organ) values.push_back(measure(score(o)));
  return values;
}

std::vector<const Validated*> Judged::validated(std::uint64_t seed) const {
  std::vector<const Validated*> all;
  for (const Outcome& o : outcomes)
    if (o.seed == seed) all.push_back(&o.validated);
  return all;
}

double Judged::validation_f1() const { return metrics::best_of(pooled(validated(outcomes.front().seed))).score.f1(); }

std::vector<Judged> judge(Laboratory& laboratory, const std::vector<const Organ*>& organs,
                          const std::vector<Setting>& settings, const std::vector<std::uint64_t>& seeds) {
  std::vector<Judged> all;
  for (const Setting& setting : settings) all.push_back({.name = setting.name});
  for (const Organ* organ : organs)
    for (std::size_t i = 0; i < settings.size(); ++i)
      for (const std::uint64_t seed : seeds) {
        Outcome o{.organ = organ, .seed = seed, .trained = {}, .validated = {}, .tested = {}};
        o.trained = laboratory.train(settings[i].training(*organ, seed));
        o.validated = laboratory.validate(o.trained, o.trained.weights(), organ->validation);
        o.tested = laboratory.test(o.trained, o.trained.weights(), organ->test);
        all[i].outcomes.push_back(std::move(o));
      }
  for (Judged& judged : all)
    for (const std::uint64_t seed : seeds) judged.xi[seed] = chosen_xi(judged.validated(seed));
  return all;
}

Judged judge_elsewhere(Laboratory& laboratory, const Judged& home, const std::vector<const Organ*>& organs) {
  Judged away{.name = home.name, .outcomes = {}, .xi = home.xi};
  for (const Organ* organ : organs)
    for (const Outcome& model : home.outcomes) {
      if (model.organ != home.outcomes.front().organ) break;  // it is the same model, seed by seed
      Outcome o{.organ = organ, .seed = model.seed, .trained = model.trained, .validated = {}, .tested = {}};
      o.tested = laboratory.test(o.trained, o.trained.weights(), organ->test);
      away.outcomes.push_back(std::move(o));
    }
  return away;
}

}  // namespace nucdet::program::studies

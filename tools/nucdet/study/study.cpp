#include "study.hpp"

#include <algorithm>

#include "nucdet/core/rng.hpp"

namespace nucdet::program::studies {

const char* const kOneSlideAnOrgan =
    "Where a data set has one slide an organ (nuinsseg-human23 has), organ and slide are confounded: a model may fail "
    "on another organ because of that slide's stain and scanner, not of its nuclei.";

std::vector<std::uint64_t> Study::seeds() const {
  std::vector<std::uint64_t> all;
  for (int i = 0; i < options.seeds.value_or(1); ++i) all.push_back(options.seed + static_cast<std::uint64_t>(i));
  return all;
}

std::vector<const Organ*> Study::targets() const {
  std::vector<const Organ*> chosen;
  for (const std::string& t : options.targets) chosen.push_back(&first().organ(t));
  if (!chosen.empty()) return chosen;
  chosen = all_organs(first());
  RandomStream random{options.seed};
  while (!budget.all_targets && chosen.size() > 3)
    chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(random.below(static_cast<Index>(chosen.size()))));
  return chosen;
}

Contestant Study::contestant() const {
  Contestant who{"", options.network, "auto", "auto"};
  if (who.network.base == 0) who.network.base = budget.width * (who.network.name == "micronet-lite" ? 2 : 1);
  who.name = message(who.network.name, '-', who.network.base);
  return who;
}

namespace {

Training training_of(const models::TrainingConfiguration& protocol, const Contestant& who, const Organ& organ,
                     std::uint64_t seed) {
  // Named by what it is, not by who asks: studies find each other's models.
  Training t{message(who.network.name, '-', who.network.base, ' ', organ.name), protocol, organ.train, organ.validation,
             nullptr};
  t.options.network = who.network, t.options.label = who.label, t.options.loss = who.loss;
  t.options.seed = seed;
  return t;
}

}  // namespace

Training Study::from_scratch(const Contestant& who, const Organ& organ, std::uint64_t seed) const {
  return training_of(budget.training, who, organ, seed);
}
Training Study::tuning(const Contestant& who, const Organ& organ, std::uint64_t seed) const {
  return training_of(budget.tuning, who, organ, seed);
}

Training Study::mixed(const Organ& organ, double share, std::uint64_t seed) const {
  Training t = from_scratch(contestant(), organ, seed);
  if (share > 0) {
    t.auxiliary = auxiliary_of(first(), organ.name, share, seed);
    t.label += message(" with ", 100 * share, " % others");
  }
  return t;
}

Judged Study::at_home(const Collection& collection, const Contestant& who) {
  const Setting setting{who.name,
                        [&](const Organ& organ, std::uint64_t seed) { return from_scratch(who, organ, seed); }};
  return judge(laboratory, all_organs(collection), {setting}, seeds()).front();
}

std::vector<const Organ*> all_organs(const Collection& collection) {
  std::vector<const Organ*> all;
  for (const Organ& o : collection.organs()) all.push_back(&o);
  return all;
}

std::vector<std::vector<double>> cross_f1(Study& study, const Collection& collection, const Contestant& who) {
  const auto& organs = collection.organs();
  std::vector<std::vector<double>> f1(organs.size(), std::vector<double>(organs.size(), 0));
  const Judged home = study.at_home(collection, who);
  const std::size_t seeds = home.xi.size();
  for (std::size_t i = 0; i < home.outcomes.size(); ++i) {  // seeds within organs
    const Outcome& model = home.outcomes[i];
    for (std::size_t to = 0; to < organs.size(); ++to) {
      const Tested tested = study.laboratory.test(model.trained, model.trained.weights(), organs[to].test);
      f1[i / seeds][to] += tested.at(home.xi.at(model.seed)).f1() / static_cast<double>(seeds);
    }
  }
  return f1;
}

std::vector<std::string> sources_by_validation(Study& study, const Organ& target) {
  const std::size_t unknown = study.laboratory.unknown();
  const Judged home = study.at_home(study.first(), study.contestant());
  std::vector<std::pair<double, std::string>> sources;
  for (const Outcome& model : home.outcomes) {
    if (model.organ == &target) continue;
    if (sources.empty() || sources.back().second != model.organ->name) sources.emplace_back(0, model.organ->name);
    const Validated there = study.laboratory.validate(model.trained, model.trained.weights(), target.validation);
    sources.back().first += there.at(home.xi.at(model.seed)).f1();
  }
  if (sources.empty()) throw ArgumentError("study: one organ alone has no others to learn from");
  study.laboratory.decide(unknown, "the best and the worst organ to learn " + target.name + " from");
  std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> names;
  for (const auto& [f1, name] : sources) names.push_back(name);
  return names;
}

Comparison compared(const std::string& what, const Judged& a, const Judged& b) {
  return {what, paired_difference(a.by_organ(f1_of), b.by_organ(f1_of)),
          paired_difference(a.by_organ(distance_of), b.by_organ(distance_of))};
}

Comparison compared_models(const std::string& what, const Judged& a, const Judged& b) {
  return {what, crossed_difference(a.by_seed(f1_of), b.by_seed(f1_of)),
          crossed_difference(a.by_seed(distance_of), b.by_seed(distance_of))};
}

io::ChartSeries curve_of(const std::string& name, const Tested& tested) {
  io::ChartSeries series{.label = name};
  for (const metrics::CurvePoint& p : tested.curve)
    if (p.score.hits > 0) series.points.push_back({p.score.recall(), p.score.precision()});
  return series;
}

std::string verdict(const Difference& d) {
  if (d.models == std::size_t{1}) return "one model a network: no verdict";
  if (d.organs < kLeastOrgans) return "too few organs";
  return !d.found() ? "no finding" : d.mean > 0 ? "higher" : "lower";
}

void report_comparisons(Study& study, const std::string& file, const std::vector<Comparison>& all) {
  Table table{{"difference", "organs", "F1", "F1 is", "distance, pixels", "distance is"}, {}};
  for (const Comparison& c : all)
    table.rows.push_back({c.what, std::to_string(c.f1.organs), c.f1.text(), verdict(c.f1),
                          c.distance ? c.distance->text(2) : "-", c.distance ? verdict(*c.distance) : "-"});
  const std::optional<std::size_t> models = all.empty() ? std::nullopt : all.front().f1.models;
  const char* const bootstrap = "a 95 % interval by the bootstrap over organs (20,000 samples, expanded percentiles)";
  if (models == std::size_t{1})
    study.report.paragraph(message("Differences, paired by organ: the mean and ", bootstrap,
                                   " of these two models. One model a network is no verdict on networks: another seed "
                                   "changes it in all organs at once, by what `--seeds` shows."));
  else
    study.report.paragraph(
        message("Differences, paired by organ: the mean and ",
                models ? message("Student's 95 % interval over ", *models, " models a network and over organs at once")
                       : std::string(bootstrap),
                ". It is a finding where the interval leaves out 0 and there are at least ", kLeastOrgans,
                " organs: fewer have all the same sign too often by chance."));
  study.report.table(file, table, true);
}

}  // namespace nucdet::program::studies

#include <algorithm>
#include <map>

#include "study.hpp"

/// The two weights of the loss: gamma of the target against the auxiliary data, lambda of the background.
namespace nucdet::program::studies {

namespace {

/// What is mixed into targets: a training of each without its weight.
struct Mixture {
  std::string name;
  std::function<Training(const Organ& organ, std::uint64_t seed)> training;
};

/// Half of all others, and the best and the worst single organ of each target, chosen by validation images.
std::vector<Mixture> mixtures(Study& study, const std::vector<const Organ*>& targets) {
  std::vector<Mixture> all;
  for (const double share : study.budget.multi_sources)
    all.push_back({message(100 * share, " % of all others"), [&study, share](const Organ& organ, std::uint64_t seed) {
                     return study.mixed(organ, share, seed);
                   }});
  std::map<std::string, std::vector<std::string>> sources;
  for (const Organ* organ : targets) sources[organ->name] = sources_by_validation(study, *organ);
  const auto single = [&](const std::string& name, bool best) {
    all.push_back({name, [&study, sources, best](const Organ& organ, std::uint64_t seed) {
                     const auto& order = sources.at(organ.name);
                     const Organ& source = study.first().organ(best ? order.front() : order.back());
                     Training t = study.from_scratch(study.contestant(), organ, seed);
                     t.auxiliary = source.train, t.label += " with " + source.name;
                     return t;
                   }});
  };
  single("best single organ", true);
  if (study.first().organs().size() > 2) single("worst single organ", false);
  return all;
}

Setting weighted(const Mixture& mixture, double gamma) {
  return {message(mixture.name, ", gamma ", gamma), [mixture, gamma](const Organ& organ, std::uint64_t seed) {
            Training t = mixture.training(organ, seed);
            t.options.gamma = gamma;
            if (gamma != 1) t.label += message(" gamma ", gamma);  // with 1 it is a training of `mix`
            return t;
          }};
}

/// F1 on an organ over a number, a point a setting.
io::ChartSeries line_of(const std::string& label, const Organ& organ, const std::vector<double>& x,
                        const std::vector<Judged>& judged, std::size_t first) {
  io::ChartSeries series{.label = label, .markers = true};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Spread f1 = spread_of(judged[first + i].on(organ, f1_of));
    series.points.push_back({x[i], f1.mean});
    if (f1.count > 1) series.errors.push_back(f1.deviation);
  }
  return series;
}

/// Precision and recall over xi of some settings, first seed.
io::Chart curves_of(const Study& study, const std::string& title, const Organ& organ, const std::vector<Judged>& judged,
                    std::size_t first, std::size_t count) {
  io::Chart chart{.title = title,
                  .x_label = "recall",
                  .y_label = "precision",
                  .x_range = io::ChartRange{0, 1},
                  .y_range = io::ChartRange{0, 1}};
  for (std::size_t i = first; i < first + count; ++i)
    for (const Outcome& o : judged[i].outcomes)
      if (o.organ == &organ && o.seed == study.options.seed) chart.series.push_back(curve_of(judged[i].name, o.tested));
  return chart;
}

Table rows_of(const std::vector<Judged>& judged) {
  Table table{{"target", "setting", "seed", "xi"}, {}};
  table.columns.insert(table.columns.end(), kScoreColumns.begin(), kScoreColumns.end());
  table.columns.push_back("failure");
  for (const Judged& j : judged)
    for (const Outcome& o : j.outcomes) {
      std::vector<std::string> row{o.organ->name, j.name, std::to_string(o.seed), shown(j.xi.at(o.seed), 2)};
      for (std::string& cell : score_cells(j.score(o))) row.push_back(std::move(cell));
      row.push_back(o.trained.failure);
      table.rows.push_back(std::move(row));
    }
  return table;
}

/// Each weight against a weight of 1, and against the target alone.
std::vector<Comparison> against_pooling(const std::vector<Judged>& judged, const std::vector<double>& gammas,
                                        const Judged& alone) {
  std::vector<Comparison> all;
  const std::size_t count = gammas.size();
  const auto one = static_cast<std::size_t>(std::find(gammas.begin(), gammas.end(), 1.0) - gammas.begin());
  for (std::size_t i = 0; i < judged.size(); ++i) {
    if (one < count && i % count != one)
      all.push_back(compared(judged[i].name + " - gamma 1", judged[i], judged[i - i % count + one]));
    all.push_back(compared(judged[i].name + " - target alone", judged[i], alone));
  }
  return all;
}

}  // namespace

/// Fig. 7 and 8: L = gamma L_T + L_A.
void gamma(Study& study) {
  const std::vector<double>& gammas = study.budget.gammas;
  const std::vector<const Organ*> targets = study.targets();
  const std::vector<Mixture> mixed = mixtures(study, targets);
  std::vector<Setting> settings;
  for (const Mixture& m : mixed)
    for (const double gamma : gammas) settings.push_back(weighted(m, gamma));
  const std::vector<Judged> judged = judge(study.laboratory, targets, settings, study.seeds());
  const Setting target_alone{"target alone",
                             [&study](const Organ& organ, std::uint64_t seed) { return study.mixed(organ, 0, seed); }};
  const std::vector<Judged> alone = judge(study.laboratory, targets, {target_alone}, study.seeds());
  for (const Organ* organ : targets) {
    io::Chart chart{.title = "gamma, " + organ->name, .x_label = "gamma", .y_label = "F1 on the target", .log_x = true};
    for (std::size_t m = 0; m < mixed.size(); ++m) {
      const std::size_t first = m * gammas.size();
      chart.series.push_back(line_of(mixed[m].name, *organ, gammas, judged, first));
      study.report.chart(
          message("pr-", organ->name, '-', m + 1),
          curves_of(study, message(organ->name, " with ", mixed[m].name), *organ, judged, first, gammas.size()),
          "Precision and recall over xi, first seed (Fig. 7, 8).");
    }
    study.report.chart("f1-" + organ->name, chart, "F1 over gamma (Fig. 7, 8). " + std::string(kOneSlideAnOrgan));
  }
  report_comparisons(study, "differences", against_pooling(judged, gammas, alone.front()));
  study.report.table("results", rows_of(judged), false);
}

/// Fig. 9.
void lambda(Study& study) {
  const models::TrainingConfiguration usual;
  const std::vector<const Organ*> targets = study.targets();
  std::vector<Setting> settings;
  std::vector<double> places;
  io::Chart chart{.title = "lambda", .x_label = "lambda", .y_label = "F1"};
  for (const double lambda : study.budget.lambdas) {
    places.push_back(static_cast<double>(places.size()));
    chart.categories.push_back(message(lambda));
    settings.push_back({message("lambda ", lambda), [&, lambda](const Organ& organ, std::uint64_t seed) {
                          Training t = study.from_scratch(study.contestant(), organ, seed);
                          t.options.lambda = lambda;
                          if (lambda != usual.lambda) t.label += message(" lambda ", lambda);
                          return t;
                        }});
  }
  const std::vector<Judged> judged = judge(study.laboratory, targets, settings, study.seeds());
  for (const Organ* organ : targets) {
    chart.series.push_back(line_of(organ->name, *organ, places, judged, 0));
    study.report.chart("pr-" + organ->name, curves_of(study, organ->name, *organ, judged, 0, judged.size()),
                       "Precision and recall over xi, first seed (Fig. 9).");
  }
  study.report.chart("f1", chart, "F1 over lambda; where training exploded, it is 0 and the table says so.");
  study.report.table("results", rows_of(judged), true);
}

}  // namespace nucdet::program::studies

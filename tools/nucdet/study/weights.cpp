#include <algorithm>
#include <cmath>

#include "study.hpp"

/// The two weights of the loss: gamma of the target against the auxiliary data, lambda of the background.
namespace nucdet::program::studies {

namespace {

/// What is mixed into a target.
struct Mixture {
  std::string name;
  std::function<PartPtr(std::uint64_t seed)> part;
};

std::vector<Mixture> mixtures(Study& study, const std::string& target) {
  const Collection& data = study.first();
  const std::vector<std::string> sources = sources_by_f1(study, target);
  std::vector<Mixture> all;
  for (const double share : study.budget.multi_sources)
    all.push_back({message(100 * share, " % of all others"),
                   [&data, target, share](std::uint64_t seed) { return auxiliary_of(data, target, share, seed); }});
  const auto single = [&](const char* kind, const std::string& organ) {
    all.push_back({message(kind, ", ", organ), [part = data.organ(organ).train](std::uint64_t) { return part; }});
  };
  single("best single", sources.front());
  if (sources.size() > 1) single("worst single", sources.back());
  return all;
}

/// A curve of the first seed, and F1 over x, of a series of trainings that differ in one number.
struct Sweep {
  io::ChartSeries f1;
  std::vector<io::ChartSeries> curves{};

  void add(Study& study, double x, const Organ& organ, const std::function<Training(std::uint64_t)>& training,
           const std::string& name, Table& table) {
    std::vector<double> values;
    for (const std::uint64_t seed : study.seeds()) {
      const Training t = training(seed);
      const Trained trained = study.laboratory.train(t);
      const Tested tested = study.result(t, organ.test);
      values.push_back(tested.score.f1());
      std::vector<std::string> row{organ.name, f1.label, name, std::to_string(seed)};
      for (std::string& cell : score_cells(tested.score)) row.push_back(std::move(cell));
      row.push_back(trained.failure);
      table.rows.push_back(std::move(row));
      if (seed != study.options.seed) continue;
      curves.push_back({.label = name});
      for (const metrics::CurvePoint& p : tested.curve)
        if (p.score.hits > 0) curves.back().points.push_back({p.score.recall(), p.score.precision()});
    }
    f1.points.push_back({x, spread_of(values).mean});
    if (values.size() > 1) f1.errors.push_back(spread_of(values).deviation);
  }
};

Table table_of(const char* number) {
  Table table{{"target", "series", number, "seed"}, {}};
  table.columns.insert(table.columns.end(), kScoreColumns.begin(), kScoreColumns.end());
  table.columns.push_back("failure");
  return table;
}

io::Chart curves_of(const std::string& title, const Sweep& sweep) {
  return {.title = title,
          .x_label = "recall",
          .y_label = "precision",
          .series = sweep.curves,
          .x_range = io::ChartRange{0, 1},
          .y_range = io::ChartRange{0, 1}};
}

}  // namespace

/// Fig. 7 and 8: L = gamma L_T + L_A.
void gamma(Study& study) {
  Table table = table_of("gamma");
  for (const std::string& target : study.targets()) {
    const Organ& organ = study.first().organ(target);
    io::Chart chart{.title = "gamma, " + target, .x_label = "gamma", .y_label = "F1 on the target", .log_x = true};
    for (const Mixture& mixture : mixtures(study, target)) {
      Sweep sweep{.f1 = {.label = mixture.name, .markers = true}};
      for (const double gamma : study.budget.gammas)
        sweep.add(
            study, gamma, organ,
            [&](std::uint64_t seed) {
              Training t = study.from_scratch(study.contestant(), organ, seed);
              t.auxiliary = mixture.part(seed), t.options.gamma = gamma;
              t.label += message(" with ", mixture.name, " gamma ", gamma);
              return t;
            },
            message("gamma ", gamma), table);
      chart.series.push_back(sweep.f1);
      study.report.chart(message("pr-", target, '-', chart.series.size()),
                         curves_of(message(target, " with ", mixture.name), sweep),
                         "Precision and recall over xi, first seed (Fig. 7, 8).");
    }
    study.report.chart("f1-" + target, chart, "F1 over gamma (Fig. 7, 8). " + std::string(kOneSlideAnOrgan));
  }
  study.report.table("results", table, false);
}

/// Fig. 9.
void lambda(Study& study) {
  const models::TrainingConfiguration usual;
  Table table = table_of("lambda");
  io::Chart chart{.title = "lambda", .x_label = "lambda", .y_label = "F1"};
  for (std::size_t i = 0; i < study.budget.lambdas.size(); ++i)
    chart.categories.push_back(message(study.budget.lambdas[i]));
  for (const std::string& target : study.targets()) {
    const Organ& organ = study.first().organ(target);
    Sweep sweep{.f1 = {.label = target, .markers = true}};
    for (std::size_t i = 0; i < study.budget.lambdas.size(); ++i) {
      const double lambda = study.budget.lambdas[i];
      sweep.add(
          study, static_cast<double>(i), organ,
          [&](std::uint64_t seed) {
            Training t = study.from_scratch(study.contestant(), organ, seed);
            t.options.lambda = lambda;
            if (lambda != usual.lambda) t.label += message(" lambda ", lambda);
            return t;
          },
          message("lambda ", lambda), table);
    }
    chart.series.push_back(sweep.f1);
    study.report.chart("pr-" + target, curves_of(target, sweep), "Precision and recall over xi, first seed (Fig. 9).");
  }
  study.report.chart("f1", chart, "F1 over lambda; where training exploded, it is 0 and the table says so.");
  study.report.table("results", table, true);
}

}  // namespace nucdet::program::studies

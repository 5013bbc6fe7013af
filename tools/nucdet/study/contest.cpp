#include "contest.hpp"

#include <algorithm>
#include <cmath>

namespace nucdet::program::studies {

std::vector<Contestant> contestants(const Study& study) {
  const int w = study.budget.width;
  const std::vector<Contestant> all{
      {"MicroNet", {"micronet", w}},
      {"FRCN", {"frcn", w}},
      {"FCRN-A, density", {"fcrn-a", w}},
      {"FCRN-A, proximity", {"fcrn-a", w}, "proximity", "weighted"},
      {"FCRN-B, density", {"fcrn-b", w}},
      {"FCRN-B, proximity", {"fcrn-b", w}, "proximity", "weighted"},
      {"U-Net", {"unet", 2 * w}},
      {"FCN-8s", {"fcn8s", 2 * w}},
      {"MicroNetLite", {"micronet-lite", 2 * w}},
  };
  std::vector<Contestant> chosen;
  for (const Contestant& c : all) {
    const auto& wanted = study.options.networks;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), c.network.name) != wanted.end()) chosen.push_back(c);
  }
  if (chosen.empty()) throw ArgumentError("study: no network of the baseline has such a name");
  return chosen;
}

int width_of_cost(const std::string& who, const std::vector<int>& widths, const std::function<double(int)>& cost,
                  double wanted, double tolerance) {
  int best = 0;
  double best_cost = 0;
  for (const int width : widths) {
    const double c = cost(width);
    if (best == 0 || std::abs(std::log(c / wanted)) < std::abs(std::log(best_cost / wanted)))
      best = width, best_cost = c;
    if (c >= wanted) break;
  }
  if (best == 0) throw ArgumentError(message("study: ", who, " has no widths"));
  if (std::abs(best_cost - wanted) > tolerance * wanted)
    throw ArgumentError(message("study: ", who, " costs ", best_cost, " at the width ", best, ", the nearest to ",
                                wanted, " that is built in, wanted within ", 100 * tolerance, " %"));
  return best;
}

Contestant at_cost(Laboratory& laboratory, Contestant who, double gflop) {
  const auto cost = [&](int base) {
    models::NetworkChoice network = who.network;
    network.base = base;
    return laboratory.gflop(network);
  };
  who.network.base = width_of_cost(who.name, models::widths_of(who.network), cost, gflop);
  return who;
}

void report_league(Study& study, const std::string& file, const std::vector<Contestant>& who,
                   const std::vector<Judged>& judged) {
  Table table{{"network", "xi", "precision", "recall", "F1", "distance, pixels", "F1, each model's own threshold",
               "parameters", "GFLOP", "ms"},
              {}};
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const Judged& j = judged[i];
    const Cost cost = study.laboratory.cost(who[i].network);
    table.rows.push_back({message(who[i].name, ", base ", who[i].network.base), shown(spread_of(j.thresholds()), 2),
                          shown(spread_of(j.by_organ(precision_of))), shown(spread_of(j.by_organ(recall_of))),
                          shown(spread_of(j.by_organ(f1_of))), shown(spread_of(j.by_organ(distance_of)), 2),
                          shown(spread_of(j.by_organ(f1_of, true))), std::to_string(cost.parameters),
                          shown(cost.gflop, 1), shown(cost.milliseconds, 0)});
  }
  study.report.table(file, table, true);
}

void report_results(Study& study, const std::string& file, const std::vector<std::vector<Judged>>& data_sets) {
  Table rows{{"network", "data", "organ", "seed", "xi"}, {}};
  rows.columns.insert(rows.columns.end(), kScoreColumns.begin(), kScoreColumns.end());
  rows.columns.push_back("failure");
  for (const auto& judged : data_sets)
    for (const Judged& j : judged)
      for (const Outcome& o : j.outcomes) {
        std::vector<std::string> row{j.name, o.organ->data, o.organ->name, std::to_string(o.seed),
                                     shown(j.xi.at(o.seed), 2)};
        for (std::string& cell : score_cells(j.score(o))) row.push_back(std::move(cell));
        row.push_back(o.trained.failure);
        rows.rows.push_back(std::move(row));
      }
  study.report.table(file, rows, false);
}

void report_against_first(Study& study, const std::string& file, const std::vector<Judged>& judged,
                          Comparison (*compare)(const std::string&, const Judged&, const Judged&)) {
  if (judged.size() < 2) return;
  std::vector<Comparison> all;
  for (std::size_t i = 1; i < judged.size(); ++i)
    all.push_back(compare(judged.front().name + " - " + judged[i].name, judged.front(), judged[i]));
  report_comparisons(study, file, all);
}

namespace {

/// F1 over xi of several networks, as a table and a picture.
class ThresholdCurves {
 public:
  explicit ThresholdCurves(const std::string& title)
      : chart_{.title = title,
               .x_label = "threshold xi",
               .y_label = "F1, all organs together",
               .x_range = io::ChartRange{0, 1},
               .y_range = io::ChartRange{0, 1}} {}
  void add(const std::string& network, const std::vector<metrics::CurvePoint>& curve, double chosen) {
    io::ChartSeries series{.label = network};
    for (const metrics::CurvePoint& p : curve) {
      series.points.push_back({p.xi, p.score.f1()});
      table_.rows.push_back({network, shown(p.xi, 2), shown(p.score.f1(), 4), p.xi == chosen ? "chosen" : ""});
    }
    chart_.series.push_back(std::move(series));
  }
  void report(Study& study, const std::string& file, const std::string& caption) const {
    study.report.table(file, table_, false);
    study.report.chart(file, chart_, caption);
  }

 private:
  io::Chart chart_;
  Table table_{{"network", "xi", "f1", "threshold"}, {}};
};

}  // namespace

void report_thresholds(Study& study, const std::vector<Judged>& judged) {
  ThresholdCurves validation("F1 over the threshold, validation images"), test("F1 over the threshold, test images");
  for (const Judged& j : judged) {
    const std::uint64_t seed = j.outcomes.front().seed;
    validation.add(j.name, pooled(j.validated(seed)), j.xi.at(seed));
    std::vector<metrics::CurvePoint> sum;
    for (const double xi : metrics::default_thresholds()) {
      sum.push_back({xi, 0, {}});
      for (const Outcome& o : j.outcomes)
        if (o.seed == seed) sum.back().score += o.tested.at(xi);
    }
    test.add(j.name, sum, j.xi.at(seed));
  }
  validation.report(study, "thresholds", "A network's threshold is where its curve is highest. First seed.");
  test.report(study, "thresholds-test", "The same on the test images, which choose nothing. First seed.");
}

}  // namespace nucdet::program::studies

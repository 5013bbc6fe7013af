#include "study.hpp"

namespace nucdet::program::studies {

namespace {

Training mixed(const Study& study, const std::string& target, const PartPtr& part, double share, std::uint64_t seed) {
  Training t = study.from_scratch(study.contestant(), study.first().organ(target), seed);
  t.target = part;
  if (share > 0) {
    t.auxiliary = auxiliary_of(study.first(), target, share, seed);
    t.label += message(" with ", 100 * share, " % others");
  }
  return t;
}

/// A curve of a chart, and its rows of a table.
struct Line {
  io::ChartSeries series;
  void add(Study& study, double x, const std::string& target, const std::function<Training(std::uint64_t)>& training,
           Table& table) {
    std::vector<double> f1, precision, recall;
    for (const std::uint64_t seed : study.seeds()) {
      const Tested tested = study.result(training(seed), study.first().organ(target).test);
      f1.push_back(tested.score.f1()), precision.push_back(tested.score.precision());
      recall.push_back(tested.score.recall());
    }
    series.points.push_back({x, spread_of(f1).mean});
    if (f1.size() > 1) series.errors.push_back(spread_of(f1).deviation);
    table.rows.push_back({target, series.label, shown(x, 0), shown(spread_of(precision).mean, 4),
                          shown(spread_of(recall).mean, 4), shown(spread_of(f1).mean, 4)});
  }
};

}  // namespace

/// Fig. 6; with --net frcn, Fig. 11: L = L_T + L_A.
void mix(Study& study) {
  io::Chart auxiliary{.title = "Auxiliary data",
                      .x_label = "per cent of the other organs' training images",
                      .y_label = "F1 on the target"};
  Table added{{"target", "series", "per cent of others", "precision", "recall", "f1"}, {}},
      shares{{"target", "series", "per cent of target", "precision", "recall", "f1"}, {}};
  for (const std::string& target : study.targets()) {
    const PartPtr all = study.first().organ(target).train;
    Line line{{.label = target, .markers = true}};
    for (const double share : study.budget.auxiliary_shares)
      line.add(
          study, 100 * share, target, [&](std::uint64_t seed) { return mixed(study, target, all, share, seed); },
          added);
    auxiliary.series.push_back(line.series);
  }
  study.report.chart(
      "auxiliary", auxiliary,
      "Fig. 6, first row (Fig. 11 with FRCN): all of the target's annotations. " + std::string(kOneSlideAnOrgan));
  for (const std::string& target : study.targets()) {
    const PartPtr all = study.first().organ(target).train;
    io::Chart chart{.title = "Share of the target, " + target,
                    .x_label = "per cent of the target's annotations",
                    .y_label = "F1 on the target"};
    for (const double others : study.budget.mixed_shares) {
      Line line{{.label = message(100 * others, " % of the others"), .markers = true}};
      for (const double share : study.budget.target_shares) {
        const PartPtr part = share < 1 ? share_of(*all, share) : all;
        line.add(
            study, 100 * share, target, [&](std::uint64_t seed) { return mixed(study, target, part, others, seed); },
            shares);
      }
      chart.series.push_back(line.series);
    }
    study.report.chart("shares-" + target, chart, "Fig. 6, second row. " + std::string(kOneSlideAnOrgan));
  }
  study.report.table("auxiliary", added, true);
  study.report.table("shares", shares, true);
}

}  // namespace nucdet::program::studies

#include "study.hpp"

namespace nucdet::program::studies {

namespace {

/// What a share of the other organs does, with a share of the target's own images.
Setting mixture(const Study& study, double others, double target) {
  return {message(100 * others, " % of the others, ", 100 * target, " % of the target"),
          [&study, others, target](const Organ& organ, std::uint64_t seed) {
            Training t = study.mixed(organ, others, seed);
            if (target < 1) t.target = share_of(organ.train, target);
            return t;
          }};
}

/// A curve of a chart, and its rows of a table: a point a setting, the mean over seeds.
io::ChartSeries line_of(const std::string& label, const Organ& organ, const std::vector<double>& x,
                        const std::vector<Judged>& judged, std::size_t first, Table& table) {
  io::ChartSeries series{.label = label, .markers = true};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Judged& j = judged[first + i];
    const Spread f1 = spread_of(j.on(organ, f1_of));
    series.points.push_back({100 * x[i], f1.mean});
    if (f1.count > 1) series.errors.push_back(f1.deviation);
    table.rows.push_back({organ.name, label, shown(100 * x[i], 0), shown(spread_of(j.thresholds()), 2),
                          shown(spread_of(j.on(organ, precision_of)).mean, 4),
                          shown(spread_of(j.on(organ, recall_of)).mean, 4), shown(f1.mean, 4)});
  }
  return series;
}

Table table_of(const char* x) { return {{"target", "series", x, "xi", "precision", "recall", "f1"}, {}}; }

}  // namespace

/// Fig. 6; with --net frcn, Fig. 11: L = L_T + L_A. Its two rows ask for some of the same trainings.
void mix(Study& study) {
  const Budget& budget = study.budget;
  const std::vector<const Organ*> targets = study.targets();
  std::vector<Setting> added, few;
  for (const double others : budget.auxiliary_shares) added.push_back(mixture(study, others, 1));
  for (const double others : budget.mixed_shares)
    for (const double share : budget.target_shares) few.push_back(mixture(study, others, share));
  const std::vector<Judged> with_all = judge(study.laboratory, targets, added, study.seeds()),
                            with_few = judge(study.laboratory, targets, few, study.seeds());
  io::Chart auxiliary{.title = "Auxiliary data",
                      .x_label = "per cent of the other organs' training images",
                      .y_label = "F1 on the target"};
  Table added_table = table_of("per cent of others"), shares_table = table_of("per cent of target");
  for (const Organ* organ : targets)
    auxiliary.series.push_back(line_of(organ->name, *organ, budget.auxiliary_shares, with_all, 0, added_table));
  study.report.chart(
      "auxiliary", auxiliary,
      "Fig. 6, first row (Fig. 11 with FRCN): all of the target's annotations. " + std::string(kOneSlideAnOrgan));
  const std::size_t shares = budget.target_shares.size();
  for (const Organ* organ : targets) {
    io::Chart chart{.title = "Share of the target, " + organ->name,
                    .x_label = "per cent of the target's annotations",
                    .y_label = "F1 on the target"};
    for (std::size_t i = 0; i < budget.mixed_shares.size(); ++i)
      chart.series.push_back(line_of(message(100 * budget.mixed_shares[i], " % of the others"), *organ,
                                     budget.target_shares, with_few, i * shares, shares_table));
    study.report.chart("shares-" + organ->name, chart, "Fig. 6, second row. " + std::string(kOneSlideAnOrgan));
  }
  std::vector<Comparison> naive;
  for (std::size_t i = 1; i < with_all.size(); ++i)
    naive.push_back(compared(with_all[i].name + " - none of the others", with_all[i], with_all.front()));
  for (std::size_t i = shares; i < with_few.size(); ++i)
    naive.push_back(compared(with_few[i].name + " - none of the others", with_few[i], with_few[i % shares]));
  report_comparisons(study, "differences", naive);
  study.report.table("auxiliary", added_table, true);
  study.report.table("shares", shares_table, true);
}

}  // namespace nucdet::program::studies

#include "study.hpp"

namespace nucdet::program::studies {

namespace {

struct Columns {
  io::Chart chart;
  Table table;
  std::vector<double> same{}, foreign{},
      better{};  // F1 at home; the mean abroad; the share of models that do better there
};

Columns columns_of(const Collection& collection, const Contestant& who, const std::vector<std::vector<double>>& f1) {
  const auto& organs = collection.organs();
  Columns c{.chart = {.title = message(who.name, " on ", collection.name()), .y_label = "F1", .width = 900},
            .table = {{"trained on"}, {}}};
  io::ChartSeries home{
      .label = "trained on the same organ", .line = false, .markers = true, .marker = io::ChartMarker::star},
      mean{.label = "mean of the others", .line = false, .markers = true, .marker = io::ChartMarker::diamond};
  for (std::size_t to = 0; to < organs.size(); ++to) {
    std::vector<double> others;
    double above = 0;
    for (std::size_t from = 0; from < organs.size(); ++from)
      if (from != to) others.push_back(f1[from][to]), above += f1[from][to] > f1[to][to] ? 1 : 0;
    const double x = static_cast<double>(to);
    c.chart.categories.push_back(organs[to].name), c.chart.boxes.push_back({x, others});
    home.points.push_back({x, f1[to][to]}), mean.points.push_back({x, spread_of(others).mean});
    c.same.push_back(f1[to][to]), c.foreign.push_back(spread_of(others).mean);
    c.better.push_back(above / std::max(1.0, static_cast<double>(others.size())));
    c.table.columns.push_back(organs[to].name);
  }
  c.chart.series = {home, mean};
  for (std::size_t from = 0; from < organs.size(); ++from) {
    std::vector<std::string> row{organs[from].name};
    for (std::size_t to = 0; to < organs.size(); ++to) row.push_back(shown(f1[from][to]));
    c.table.rows.push_back(std::move(row));
  }
  return c;
}

}  // namespace

/// Fig. 4; with --net frcn, Fig. 10.
void cross(Study& study) {
  const Contestant who = study.contestant();
  for (const Collection& collection : study.collections) {
    const Columns c = columns_of(collection, who, cross_f1(study, collection, who));
    study.report.chart(message("cross-", collection.name(), '-', who.name), c.chart,
                       "Boxes: F1 on the organ's test images of the models trained on each of the other organs "
                       "(quartiles, whiskers to "
                       "1.5 box lengths). " +
                           std::string(kOneSlideAnOrgan));
    study.report.paragraph(
        message("F1 at home ", shown(spread_of(c.same)), ", abroad ", shown(spread_of(c.foreign)),
                " (mean and deviation over the organs tested on). A model of another organ does better "
                "than the organ's own in ",
                shown(100 * spread_of(c.better).mean, 0), " % of the pairs."));
    report_comparisons(study, message("differences-", collection.name(), '-', who.name),
                       {{who.name + ", the organ's own - mean of the others", paired_difference(c.same, c.foreign)}});
    study.report.table(message("f1-", collection.name(), '-', who.name), c.table, true);
  }
}

}  // namespace nucdet::program::studies

#include <algorithm>

#include "study.hpp"

namespace nucdet::program::studies {

namespace {

/// The paper's networks, and ours, at a width in proportion to MicroNet's.
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

/// What was found of one contestant: one entry an organ (and data set) and seed.
struct Found {
  std::vector<double> precision, recall, f1, distance, highest;
  void add(const Tested& tested) {
    const metrics::Score& s = tested.score;
    highest.push_back(metrics::best_of(tested.curve).score.f1());
    precision.push_back(s.precision()), recall.push_back(s.recall()), f1.push_back(s.f1());
    distance.push_back(s.distance_mean());
  }
};

io::Chart precision_recall_chart(const std::string& organ) {
  return {.title = "Precision and recall, " + organ,
          .x_label = "recall",
          .y_label = "precision",
          .x_range = io::ChartRange{0, 1},
          .y_range = io::ChartRange{0, 1},
          .height = 520};
}

io::ChartSeries curve_of(const std::string& name, const Tested& tested) {
  io::ChartSeries series{.label = name};
  for (const metrics::CurvePoint& p : tested.curve)
    if (p.score.hits > 0) series.points.push_back({p.score.recall(), p.score.precision()});
  return series;
}

}  // namespace

/// Table 1 and Fig. S1.
void baseline(Study& study) {
  const std::vector<Contestant> all = contestants(study);
  Table rows{{"network", "data", "organ", "seed"}, {}};
  rows.columns.insert(rows.columns.end(), kScoreColumns.begin(), kScoreColumns.end());
  std::vector<Found> found(all.size());
  std::vector<std::pair<std::string, io::Chart>> curves;
  for (const Collection& collection : study.collections)
    for (const Organ& organ : collection.organs()) {
      curves.emplace_back(message("pr-", collection.name(), '-', organ.name), precision_recall_chart(organ.name));
      for (std::size_t i = 0; i < all.size(); ++i)
        for (const std::uint64_t seed : study.seeds()) {
          const Tested tested = study.result(study.from_scratch(all[i], organ, seed), organ.test);
          found[i].add(tested);
          std::vector<std::string> row{all[i].name, collection.name(), organ.name, std::to_string(seed)};
          for (std::string& cell : score_cells(tested.score)) row.push_back(std::move(cell));
          rows.rows.push_back(std::move(row));
          if (seed == study.options.seed) curves.back().second.series.push_back(curve_of(all[i].name, tested));
        }
    }
  Table table{{"network", "precision", "recall", "F1", "highest F1", "distance, pixels", "parameters", "GFLOP", "ms"},
              {}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const models::NetworkChoice& network = all[i].network;
    const Cost cost = study.laboratory.cost(network);
    table.rows.push_back({message(all[i].name, ", base ", network.base), shown(spread_of(found[i].precision)),
                          shown(spread_of(found[i].recall)), shown(spread_of(found[i].f1)),
                          shown(spread_of(found[i].highest)), shown(spread_of(found[i].distance), 2),
                          std::to_string(cost.parameters), shown(cost.gflop, 1), shown(cost.milliseconds, 0)});
  }
  study.report.paragraph("Mean and standard deviation over organs" +
                         std::string(study.options.seeds > 1 ? " and seeds" : "") +
                         ", one model an organ, tested on that organ (Table 1 of the paper). Highest F1: over xi on "
                         "the test images themselves, "
                         "what the network could reach if its threshold were right. GFLOP and milliseconds are of "
                         "a forward pass over 512 x 512 pixels.");
  study.report.table("table", table, true);
  study.report.table("results", rows, false);
  for (const auto& [file, chart] : curves)
    study.report.chart(file, chart, "Over the threshold xi, first seed (Fig. S1).");
}

}  // namespace nucdet::program::studies

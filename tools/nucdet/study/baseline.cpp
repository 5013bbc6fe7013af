#include <algorithm>

#include "contest.hpp"

namespace nucdet::program::studies {

namespace {

io::Chart precision_recall_chart(const std::string& organ) {
  return {.title = "Precision and recall, " + organ,
          .x_label = "recall",
          .y_label = "precision",
          .x_range = io::ChartRange{0, 1},
          .y_range = io::ChartRange{0, 1},
          .height = 520};
}

/// Over the threshold, first seed (Fig. S1).
void report_curves(Study& study, const std::vector<const Organ*>& organs, const std::vector<Judged>& judged) {
  for (const Organ* organ : organs) {
    io::Chart chart = precision_recall_chart(organ->name);
    for (const Judged& j : judged)
      for (const Outcome& o : j.outcomes)
        if (o.organ == organ && o.seed == study.options.seed) chart.series.push_back(curve_of(j.name, o.tested));
    study.report.chart(message("pr-", organ->data, '-', organ->name), chart,
                       "Over the threshold xi, first seed (Fig. S1).");
  }
}

/// MicroNet and the two whose F1 on the validation images is highest, by their places.
std::vector<std::size_t> rivals(const std::vector<Judged>& judged) {
  std::vector<std::size_t> others;
  for (std::size_t i = 1; i < judged.size(); ++i) others.push_back(i);
  std::stable_sort(others.begin(), others.end(),
                   [&](std::size_t a, std::size_t b) { return judged[a].validation_f1() > judged[b].validation_f1(); });
  std::vector<std::size_t> chosen{0};
  for (const std::size_t i : others)
    if (chosen.size() < 3) chosen.push_back(i);
  return chosen;
}

/// Further seeds for MicroNet and its closest rivals, where a budget has them and no number of seeds was asked for.
void repeat_closest(Study& study, const std::vector<const Organ*>& organs, const std::vector<Setting>& settings,
                    std::vector<Judged>& judged) {
  const std::vector<std::size_t> chosen = rivals(judged);
  std::vector<std::uint64_t> seeds = study.seeds();
  while (static_cast<int>(seeds.size()) < study.budget.rival_seeds) seeds.push_back(seeds.back() + 1);
  std::vector<Setting> again;
  for (const std::size_t i : chosen) again.push_back(settings[i]);
  std::vector<Judged> repeated = judge(study.laboratory, organs, again, seeds);
  for (std::size_t i = 0; i < chosen.size(); ++i) judged[chosen[i]] = std::move(repeated[i]);
}

}  // namespace

/// Table 1 and Fig. S1.
void baseline(Study& study) {
  const std::vector<Contestant> all = contestants(study);
  std::vector<Setting> settings;
  for (const Contestant& who : all)
    settings.push_back({who.name, [&study, &who](const Organ& organ, std::uint64_t seed) {
                          return study.from_scratch(who, organ, seed);
                        }});
  std::vector<const Organ*> organs;
  for (const Collection& collection : study.collections)
    for (const Organ& organ : collection.organs()) organs.push_back(&organ);
  const std::size_t unknown = study.laboratory.unknown();
  std::vector<Judged> judged = judge(study.laboratory, organs, settings, study.seeds());
  if (study.repeats_rivals()) {
    study.laboratory.decide(unknown, "the networks that get a second seed");
    repeat_closest(study, organs, settings, judged);
  }
  study.report.paragraph(
      "Mean and standard deviation over organs, one model an organ, tested on that organ (Table 1 of the paper). A "
      "network's threshold xi comes from the validation images of all its organs together; beside it F1 where each "
      "model has the threshold of its own organ's validation images, as in the paper. Where a network has several "
      "seeds, an organ counts with their mean. GFLOP and milliseconds are of a forward pass over 512 x 512 pixels.");
  report_league(study, "networks", all, judged);
  report_against_first(study, "differences", judged, compared);
  report_thresholds(study, judged);
  report_results(study, "results", {judged});
  report_curves(study, organs, judged);
}

}  // namespace nucdet::program::studies

#include "contest.hpp"

namespace nucdet::program::studies {

namespace {

/// One training for all organs of the first data set; whatever organ is asked for, it is the same.
std::vector<Setting> together(const Study& study, const std::vector<Contestant>& all) {
  std::vector<PartPtr> train, validation;
  for (const Organ& organ : study.first().organs())
    train.push_back(organ.train), validation.push_back(organ.validation);
  const std::string name = study.first().name();
  const PartPtr target = joined(name + " together train", train),
                chosen_by = joined(name + " together val", validation);
  std::vector<Setting> settings;
  for (const Contestant& who : all) {
    Training t{message(who.network.name, '-', who.network.base, ' ', name), study.budget.together, target, chosen_by,
               nullptr};
    t.options.network = who.network, t.options.label = who.label, t.options.loss = who.loss;
    settings.push_back({who.name, [t](const Organ&, std::uint64_t seed) {
                          Training seeded = t;
                          seeded.options.seed = seed;
                          return seeded;
                        }});
  }
  return settings;
}

}  // namespace

/// Architectures without the advantage of size: every network at the width at which it costs what MicroNet does. One
/// model is tested on all organs: networks are told apart by several seeds alone.
void equal(Study& study) {
  const double gflop = study.laboratory.gflop({"micronet", study.budget.width});
  std::vector<Contestant> all;
  for (Contestant& who : contestants(study)) all.push_back(at_cost(study.laboratory, std::move(who), gflop));
  const std::vector<Judged> home =
      judge(study.laboratory, all_organs(study.first()), together(study, all), study.seeds());
  std::vector<std::vector<Judged>> data_sets{home};
  for (std::size_t i = 1; i < study.collections.size(); ++i) {
    data_sets.emplace_back();
    for (const Judged& j : home)
      data_sets.back().push_back(judge_elsewhere(study.laboratory, j, all_organs(study.collections[i])));
  }
  study.report.paragraph(message("One training a network for all organs of ", study.first().name(),
                                 " together, at the built-in width whose forward pass costs nearest to MicroNet's ",
                                 shown(gflop, 1),
                                 " GFLOP (512 x 512 pixels), within a quarter. Means and standard deviations are over "
                                 "organs; thresholds come from "
                                 "the validation images of ",
                                 study.first().name(), " for all data sets."));
  for (std::size_t i = 0; i < data_sets.size(); ++i) {
    const std::string name = study.collections[i].name();
    study.report.paragraph("**" + name + "**, " + std::to_string(study.collections[i].organs().size()) + " organs:");
    report_league(study, "networks-" + name, all, data_sets[i]);
    report_against_first(study, "differences-" + name, data_sets[i], compared_models);
  }
  report_thresholds(study, home);
  report_results(study, "results", data_sets);
}

}  // namespace nucdet::program::studies

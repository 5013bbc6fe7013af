#include "study.hpp"

#include <algorithm>
#include <iostream>
#include <map>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/folder_lock.hpp"
#include "nucdet/version.hpp"

#include "../device.hpp"
#include "../guard.hpp"

namespace nucdet::program::studies {

const char* const kOneSlideAnOrgan =
    "Where a data set has one slide an organ (nuinsseg-human23 has), organ and slide are confounded: a model may fail "
    "on another organ because of that slide's stain and scanner, not of its nuclei.";

std::vector<std::uint64_t> Study::seeds() const {
  std::vector<std::uint64_t> all;
  for (int i = 0; i < options.seeds; ++i) all.push_back(options.seed + static_cast<std::uint64_t>(i));
  return all;
}

std::vector<std::string> Study::targets() const {
  if (!options.targets.empty()) {
    for (const std::string& t : options.targets) first().organ(t);
    return options.targets;
  }
  std::vector<std::string> names;
  for (const Organ& o : first().organs()) names.push_back(o.name);
  RandomStream random{options.seed};
  while (names.size() > 3)
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(random.below(static_cast<Index>(names.size()))));
  return names;
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

Tested Study::result(const Training& training, const PartPtr& part) {
  const Trained trained = laboratory.train(training);
  if (trained.failure.empty()) return laboratory.test(trained.weights(), *part);
  Tested nothing;
  for (const data::Sample& s : part->samples) nothing.score.misses += static_cast<Index>(s.points.size());
  for (const double xi : metrics::default_thresholds()) nothing.curve.push_back({xi, 0, nothing.score});
  return nothing;
}

std::vector<std::vector<double>> cross_f1(Study& study, const Collection& collection, const Contestant& who) {
  const auto& organs = collection.organs();
  std::vector<std::vector<double>> f1(organs.size(), std::vector<double>(organs.size(), 0));
  const auto seeds = study.seeds();
  for (std::size_t from = 0; from < organs.size(); ++from)
    for (const std::uint64_t seed : seeds)
      for (std::size_t to = 0; to < organs.size(); ++to)
        f1[from][to] += study.result(study.from_scratch(who, organs[from], seed), organs[to].test).score.f1() /
                        static_cast<double>(seeds.size());
  return f1;
}

std::vector<std::string> sources_by_f1(Study& study, const std::string& target) {
  const auto f1 = cross_f1(study, study.first(), study.contestant());
  const auto& organs = study.first().organs();
  std::size_t to = 0;
  while (organs[to].name != target) ++to;
  std::vector<std::size_t> order;
  for (std::size_t from = 0; from < organs.size(); ++from)
    if (from != to) order.push_back(from);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return f1[a][to] > f1[b][to]; });
  std::vector<std::string> names;
  for (const std::size_t from : order) names.push_back(organs[from].name);
  if (names.empty()) throw ArgumentError("study: one organ alone has no others to learn from");
  return names;
}

}  // namespace nucdet::program::studies

namespace nucdet::program {

namespace {

struct Experiment {
  const char* title;
  void (*run)(studies::Study&);
};
const std::map<std::string, Experiment>& experiments() {
  static const std::map<std::string, Experiment> all{
      {"baseline", {"Baseline: every network on every organ", studies::baseline}},
      {"cross", {"Cross: every model on every organ", studies::cross}},
      {"finetune", {"Fine-tuning", studies::finetune}},
      {"mix", {"Mixing in other organs", studies::mix}},
      {"gamma", {"Weight of the target: gamma", studies::gamma}},
      {"lambda", {"Weight of the background: lambda", studies::lambda}}};
  return all;
}

void state_facts(studies::Study& s) {
  const models::TrainingConfiguration& t = s.budget.training;
  s.report.fact("version", NUCDET_VERSION_STRING);
  s.report.fact("budget", s.budget.name);
  s.report.fact("training", message(t.optimizer, ", rate ", t.rate, ", schedule ", t.schedule, ", ", t.iterations,
                                    " iterations of ", t.batch, " crops of ", t.crop, " pixels"));
  std::string seeds;
  for (const std::uint64_t seed : s.seeds()) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  s.report.fact("seeds", seeds);
  for (const studies::Collection& c : s.collections)
    s.report.fact("data", message(c.name(), ", ", c.organs().size(), " organs, hash ", hexadecimal(c.hash())));
  s.report.fact("device", choose_device(s.options.device).line);
}

}  // namespace

int run_study(const StudyOptions& o) {
  const auto found = experiments().find(o.name);
  if (found == experiments().end()) {
    std::string names;
    for (const auto& [name, experiment] : experiments()) names += (names.empty() ? "" : ", ") + name;
    throw ArgumentError(message("study '", o.name, "', wanted one of ", names));
  }
  if (o.seeds < 1) throw ArgumentError(message("study: ", o.seeds, " seeds, wanted at least 1"));
  studies::Budget budget = studies::budget_of(o.budget);
  if (o.iterations) {
    budget.training.iterations = budget.tuning.iterations = *o.iterations;
    for (models::TrainingConfiguration* t : {&budget.training, &budget.tuning}) {
      t->validate_every = std::min(t->validate_every, *o.iterations);
      if (t->warmup) t->warmup = std::min(*t->warmup, *o.iterations / 2);
    }
    budget.base_snapshots = std::max<std::int64_t>(1, *o.iterations / budget.base_stages);
  }
  if (!o.gammas.empty()) budget.gammas = o.gammas;
  if (!o.lambdas.empty()) budget.lambdas = o.lambdas;
  const std::filesystem::path out = o.out;
  // The paper has some of its experiments with FRCN too: each network's report stands apart.
  const std::string folder = o.network.name == "micronet" ? o.name : o.name + "-" + o.network.name;
  OutputGuard guard;
  for (const std::string& data : o.data) guard.data_set(data);
  guard.folder(out / folder);
  guard.output(out / folder / "report.md", io::Product::report);
  io::make_folder(out);
  const io::FolderLock lock(out);
  return on_device(o.device, {.seed = o.seed}, o.quiet, [&](auto& context) {
    const auto laboratory = studies::make_laboratory(context, out, o.quiet);
    std::vector<studies::Collection> collections;
    for (const std::string& data : o.data) collections.emplace_back(context.host(), data, o.organs);
    studies::Study s{o, budget, *laboratory, std::move(collections),
                     studies::Report(out / folder, found->second.title)};
    state_facts(s);
    found->second.run(s);
    s.report.write();
    std::cout << (s.report.folder() / "report.md").string() << '\n';
    return 0;
  });
}

}  // namespace nucdet::program

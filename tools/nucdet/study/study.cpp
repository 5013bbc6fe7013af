#include "study.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/file_lock.hpp"
#include "nucdet/io/folder_lock.hpp"
#include "nucdet/version.hpp"

#include "../device.hpp"
#include "../guard.hpp"
#include "../shards.hpp"

namespace nucdet::program::studies {

const char* const kOneSlideAnOrgan =
    "Where a data set has one slide an organ (nuinsseg-human23 has), organ and slide are confounded: a model may fail "
    "on another organ because of that slide's stain and scanner, not of its nuclei.";

std::vector<std::uint64_t> Study::seeds() const {
  std::vector<std::uint64_t> all;
  for (int i = 0; i < options.seeds.value_or(1); ++i) all.push_back(options.seed + static_cast<std::uint64_t>(i));
  return all;
}

std::vector<const Organ*> Study::targets() const {
  std::vector<const Organ*> chosen;
  for (const std::string& t : options.targets) chosen.push_back(&first().organ(t));
  if (!chosen.empty()) return chosen;
  chosen = all_organs(first());
  RandomStream random{options.seed};
  while (!budget.all_targets && chosen.size() > 3)
    chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(random.below(static_cast<Index>(chosen.size()))));
  return chosen;
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

Training Study::mixed(const Organ& organ, double share, std::uint64_t seed) const {
  Training t = from_scratch(contestant(), organ, seed);
  if (share > 0) {
    t.auxiliary = auxiliary_of(first(), organ.name, share, seed);
    t.label += message(" with ", 100 * share, " % others");
  }
  return t;
}

Judged Study::at_home(const Collection& collection, const Contestant& who) {
  const Setting setting{who.name,
                        [&](const Organ& organ, std::uint64_t seed) { return from_scratch(who, organ, seed); }};
  return judge(laboratory, all_organs(collection), {setting}, seeds()).front();
}

std::vector<const Organ*> all_organs(const Collection& collection) {
  std::vector<const Organ*> all;
  for (const Organ& o : collection.organs()) all.push_back(&o);
  return all;
}

std::vector<std::vector<double>> cross_f1(Study& study, const Collection& collection, const Contestant& who) {
  const auto& organs = collection.organs();
  std::vector<std::vector<double>> f1(organs.size(), std::vector<double>(organs.size(), 0));
  const Judged home = study.at_home(collection, who);
  const std::size_t seeds = home.xi.size();
  for (std::size_t i = 0; i < home.outcomes.size(); ++i) {  // seeds within organs
    const Outcome& model = home.outcomes[i];
    for (std::size_t to = 0; to < organs.size(); ++to) {
      const Tested tested = study.laboratory.test(model.trained, model.trained.weights(), organs[to].test);
      f1[i / seeds][to] += tested.at(home.xi.at(model.seed)).f1() / static_cast<double>(seeds);
    }
  }
  return f1;
}

std::vector<std::string> sources_by_validation(Study& study, const Organ& target) {
  const std::size_t unknown = study.laboratory.unknown();
  const Judged home = study.at_home(study.first(), study.contestant());
  std::vector<std::pair<double, std::string>> sources;
  for (const Outcome& model : home.outcomes) {
    if (model.organ == &target) continue;
    if (sources.empty() || sources.back().second != model.organ->name) sources.emplace_back(0, model.organ->name);
    const Validated there = study.laboratory.validate(model.trained, model.trained.weights(), *target.validation);
    sources.back().first += there.at(home.xi.at(model.seed)).f1();
  }
  if (sources.empty()) throw ArgumentError("study: one organ alone has no others to learn from");
  study.laboratory.decide(unknown, "the best and the worst organ to learn " + target.name + " from");
  std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> names;
  for (const auto& [f1, name] : sources) names.push_back(name);
  return names;
}

Comparison compared(const std::string& what, const Judged& a, const Judged& b) {
  return {what, paired_difference(a.by_organ(f1_of), b.by_organ(f1_of)),
          paired_difference(a.by_organ(distance_of), b.by_organ(distance_of))};
}

io::ChartSeries curve_of(const std::string& name, const Tested& tested) {
  io::ChartSeries series{.label = name};
  for (const metrics::CurvePoint& p : tested.curve)
    if (p.score.hits > 0) series.points.push_back({p.score.recall(), p.score.precision()});
  return series;
}

std::string verdict(const Difference& d) { return !d.found() ? "no finding" : d.mean > 0 ? "higher" : "lower"; }

void report_comparisons(Study& study, const std::string& file, const std::vector<Comparison>& all) {
  Table table{{"difference", "organs", "F1", "F1 is", "distance, pixels", "distance is"}, {}};
  for (const Comparison& c : all)
    table.rows.push_back({c.what, std::to_string(c.f1.organs), c.f1.text(), verdict(c.f1),
                          c.distance ? c.distance->text(2) : "-", c.distance ? verdict(*c.distance) : "-"});
  study.report.paragraph(
      "Differences, paired by organ: the mean and a 95 % interval by the bootstrap over organs (20,000 samples, "
      "expanded percentiles). It is a finding where the interval leaves out 0.");
  study.report.table(file, table, true);
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
      {"equal", {"Every network at the same cost, one training for all organs", studies::equal}},
      {"cross", {"Cross: every model on every organ", studies::cross}},
      {"finetune", {"Fine-tuning", studies::finetune}},
      {"mix", {"Mixing in other organs", studies::mix}},
      {"gamma", {"Weight of the target: gamma", studies::gamma}},
      {"lambda", {"Weight of the background: lambda", studies::lambda}}};
  return all;
}

const Experiment& experiment_of(const StudyOptions& o) {
  const auto found = experiments().find(o.name);
  if (found != experiments().end()) return found->second;
  std::string names;
  for (const auto& [name, experiment] : experiments()) names += (names.empty() ? "" : ", ") + name;
  throw ArgumentError(message("study '", o.name, "', wanted one of ", names));
}

void shorten(models::TrainingConfiguration& t, std::int64_t iterations) {
  t.iterations = iterations, t.validate_every = std::min(t.validate_every, iterations);
  if (t.warmup) t.warmup = std::min(*t.warmup, iterations / 2);
}

studies::Budget budget_of(const StudyOptions& o) {
  studies::Budget budget = studies::budget_of(o.budget);
  if (o.iterations) {
    for (models::TrainingConfiguration* t : {&budget.training, &budget.tuning, &budget.together})
      shorten(*t, *o.iterations);
    budget.base_snapshots = std::max<std::int64_t>(1, *o.iterations / budget.base_stages);
  }
  if (!o.gammas.empty()) budget.gammas = o.gammas;
  if (!o.lambdas.empty()) budget.lambdas = o.lambdas;
  return budget;
}

void state_facts(studies::Study& s) {
  const models::TrainingConfiguration& t = s.options.name == "equal" ? s.budget.together : s.budget.training;
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

/// The data sets. One training for all organs takes those asked for; what else it is tested on has organs of its own.
std::vector<studies::Collection> collections_of(Context<Cpu>& host, const StudyOptions& o) {
  std::vector<studies::Collection> all;
  for (const std::string& data : o.data)
    all.emplace_back(host, data, o.name == "equal" && !all.empty() ? std::vector<std::string>{} : o.organs);
  return all;
}

/// How fast trainings are taken to be where none is there to tell.
double flop_per_second(const StudyOptions& o) {
  return choose_device(o.device).cuda ? 0 : studies::kFlopPerSecond * threads_of(o.device);
}

/// Goes through an experiment without a report. Returns what it could not decide, or nothing.
std::string walk(studies::Study& study, const Experiment& experiment) {
  try {
    experiment.run(study);
  } catch (const studies::Undecided& undecided) { return undecided.what(); }
  return {};
}

/// What a shard says at its end.
void say_shard(const studies::Ledger& ledger, const Shard& shard, const std::string& undecided) {
  const std::size_t mine = static_cast<std::size_t>(
      std::count_if(ledger.units().begin(), ledger.units().end(), [](const auto& u) { return u.mine; }));
  std::cout << "shard " << shard.text() << ": " << mine - ledger.missing_of_mine() << " of its " << mine
            << " trainings are there, of all " << ledger.units().size() - ledger.missing() << " of "
            << ledger.units().size() << '\n';
  if (!undecided.empty()) std::cout << undecided << ": run all shards again once the others are done\n";
  if (undecided.empty() && ledger.missing() == 0) std::cout << "all is there: a call without --shard reports\n";
}

/// Throws ArgumentError where a report would have to train first.
void check_complete(const studies::Ledger& ledger, const StudyOptions& o) {
  if (ledger.missing() == 0) return;
  std::string names;
  std::size_t named = 0;
  for (const studies::Unit& u : ledger.units())
    if (!u.done && named++ < 5) names += "\n  " + u.name;
  throw ArgumentError(message("study ", o.name, ": --report-only, but ", ledger.missing(), " of ",
                              ledger.units().size(), " trainings are not in ", o.out, ":", names,
                              ledger.missing() > 5 ? "\n  ..." : ""));
}

template <class Device>
int run_on(Context<Device>& context, const StudyOptions& o, const studies::Budget& budget, const Shard& shard,
           const std::filesystem::path& folder) {
  using studies::Work;
  const Experiment& experiment = experiment_of(o);
  const auto collections = collections_of(context.host(), o);
  const auto study_in = [&](studies::Laboratory& laboratory, studies::Report report) {
    return studies::Study{o, budget, laboratory, collections, std::move(report)};
  };
  const auto laboratory_for = [&](Work work) {
    return studies::make_laboratory(context, {.out = o.out, .work = work, .shard = shard, .quiet = o.quiet});
  };
  if (o.plan || o.report_only) {
    const auto looking = laboratory_for(o.plan ? Work::look : Work::test);
    studies::Study study = study_in(*looking, studies::Report());
    walk(study, experiment);
    if (o.plan) {
      std::cout << studies::plan_text(looking->ledger(), flop_per_second(o));
      return 0;
    }
    check_complete(looking->ledger(), o);
  }
  if (!shard.whole()) {
    const auto laboratory = laboratory_for(Work::shard);
    studies::Study study = study_in(*laboratory, studies::Report());
    const std::string undecided = walk(study, experiment);
    say_shard(laboratory->ledger(), shard, undecided);
    return 0;
  }
  const auto laboratory = laboratory_for(Work::all);
  studies::Study study = study_in(*laboratory, studies::Report(folder, experiment.title));
  state_facts(study);
  experiment.run(study);
  study.report.fact("trainings", message(laboratory->ledger().units().size(), ", ",
                                         studies::shown(laboratory->ledger().seconds() / 3600, 1), " hours"));
  study.report.write();
  std::cout << (folder / "report.md").string() << '\n';
  return 0;
}

/// The part of the trainings that this call does: asked for, or the task's in a job array.
Shard shard_of(const StudyOptions& o) {
  if (!o.shard.empty()) return parse_shard(o.shard);
  if (o.plan || o.report_only) return {};
  return shard_of_array([](const char* name) { return std::getenv(name); }).value_or(Shard{});
}

/// Two calls never do the same work: the whole of a study has its folder for itself, a shard its number in it.
io::FileLock shard_lock(const std::filesystem::path& out, const Shard& shard) {
  auto lock = io::FileLock::attempt(out / message(".nucdet-shard-", shard.number, "-of-", shard.count, ".lock"));
  if (!lock) throw IoError(message(out.string(), ": another run of nucdet works on the shard ", shard.text()));
  return std::move(*lock);
}

}  // namespace

int run_study(const StudyOptions& o) {
  experiment_of(o);
  if (o.seeds.value_or(1) < 1) throw ArgumentError(message("study: ", *o.seeds, " seeds, wanted at least 1"));
  const studies::Budget budget = budget_of(o);
  const Shard shard = shard_of(o);
  if (!shard.whole() && o.report_only) throw ArgumentError("study: --report-only is of the whole, not of a --shard");
  const std::filesystem::path out = o.out;
  // The paper has some of its experiments with FRCN too: each network's report stands apart.
  const std::filesystem::path folder = out / (o.network.name == "micronet" ? o.name : o.name + "-" + o.network.name);
  const bool reports = !o.plan && shard.whole();
  OutputGuard guard;
  for (const std::string& data : o.data) guard.data_set(data);
  if (reports) guard.folder(folder), guard.output(folder / "report.md", io::Product::report);
  std::optional<io::FolderLock> whole;
  std::optional<io::FileLock> part;
  if (!o.plan) {
    guard.folder(out);
    io::make_folder(out);
    if (reports)
      whole.emplace(out);
    else
      part.emplace(shard_lock(out, shard));
  }
  return on_device(o.device, {.seed = o.seed}, o.quiet,
                   [&](auto& context) { return run_on(context, o, budget, shard, folder); });
}

}  // namespace nucdet::program

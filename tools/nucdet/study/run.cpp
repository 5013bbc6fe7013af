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
#include "study.hpp"

/// The subcommand: which study, how much of it, and what it leaves.
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
    budget.base_stages = std::min(budget.base_stages, *o.iterations);  // a stage has at least one iteration
    budget.base_snapshots = *o.iterations / budget.base_stages;
  }
  if (!o.gammas.empty()) budget.gammas = o.gammas;
  if (!o.lambdas.empty()) budget.lambdas = o.lambdas;
  return budget;
}

std::string protocol_text(const models::TrainingConfiguration& t) {
  return message(t.optimizer, ", rate ", t.rate, ", schedule ", t.schedule, ", ", t.iterations, " iterations of ",
                 t.batch, " crops of ", t.crop, " pixels");
}

void state_facts(studies::Study& s) {
  const models::TrainingConfiguration& t = s.options.name == "equal" ? s.budget.together : s.budget.training;
  s.report.fact("version", NUCDET_VERSION_STRING);
  s.report.fact("budget", s.budget.name);
  s.report.fact("training", protocol_text(t));
  if (s.options.name == "finetune") s.report.fact("fine-tuning", protocol_text(s.budget.tuning));
  std::string seeds;
  for (const std::uint64_t seed : s.seeds()) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  if (s.repeats_rivals())
    seeds += message("; of the first network and its two closest rivals ", s.budget.rival_seeds, " from there on");
  s.report.fact("seeds", seeds);
  for (const studies::Collection& c : s.collections)
    s.report.fact("data", message(c.name(), ", ", c.organs().size(), " organs, hash ", hexadecimal(c.hash())));
  s.report.fact("device", choose_device(s.options.device).line);
}

/// Last bits of weights are a device's: where several made the trainings, the report names them.
void state_devices(studies::Study& s) {
  const std::map<std::string, std::size_t> devices = s.laboratory.ledger().devices();
  if (devices.size() < 2) return;
  for (const auto& [name, count] : devices) s.report.fact("trainings by", message(name, ": ", count));
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
  const std::string waits = !undecided.empty()             ? undecided
                            : ledger.missing_of_mine() > 0 ? "some begin with weights of trainings that others make"
                                                           : "";
  if (!waits.empty()) std::cout << waits << ": run all shards again once the others are done\n";
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
  const std::string device = choose_device(o.device).name;
  const auto study_in = [&](studies::Laboratory& laboratory, studies::Report report) {
    return studies::Study{o, budget, laboratory, collections, std::move(report)};
  };
  const auto laboratory_for = [&](Work work) {
    return studies::make_laboratory(context,
                                    {.out = o.out, .work = work, .shard = shard, .quiet = o.quiet, .device = device});
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
  state_devices(study);
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

/// A study's shard that is begun twice. What shards of several studies, or one and the whole of it, have in common is
/// locked training by training.
io::FileLock shard_lock(const std::filesystem::path& folder, const Shard& shard) {
  const std::string study = folder.filename().string();
  auto lock = io::FileLock::attempt(folder.parent_path() /
                                    message(".nucdet-shard-", study, '-', shard.number, "-of-", shard.count, ".lock"));
  if (!lock)
    throw IoError(message(folder.string(), ": another run of nucdet works on the shard ", shard.text(), " of ", study));
  return std::move(*lock);
}

/// Trainings are kept by their seed as a double, which above 2^53 stands for several; up to a thousand follow the
/// first.
void check_seeds(const StudyOptions& o) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 53) - 1000;
  if (o.seeds.value_or(1) < 1) throw ArgumentError(message("study: ", *o.seeds, " seeds, wanted at least 1"));
  if (o.seed > kMost) throw ArgumentError(message("study: the seed ", o.seed, ", wanted at most ", kMost));
}

/// Tables and pictures of a data set are named by it.
void check_data_names(const std::vector<std::string>& data) {
  std::map<std::string, std::string> by_name;
  for (const std::string& one : data) {
    const std::string name = studies::collection_name(one);
    if (name.empty()) throw ArgumentError(message("study: the data set ", one, " has no name: give it a folder"));
    const auto [there, fresh] = by_name.emplace(name, one);
    if (!fresh)
      throw ArgumentError(message("study: the data sets ", there->second, " and ", one, " are both called '", name,
                                  "', and so would their tables: rename a folder"));
  }
}

}  // namespace

int run_study(const StudyOptions& o) {
  experiment_of(o);
  check_seeds(o);
  check_data_names(o.data);
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
      part.emplace(shard_lock(folder, shard));
  }
  return on_device(o.device, {.seed = o.seed}, o.quiet,
                   [&](auto& context) { return run_on(context, o, budget, shard, folder); });
}

}  // namespace nucdet::program

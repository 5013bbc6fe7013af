#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "nucdet/core/printable.hpp"
#include "nucdet/core/watch.hpp"
#ifdef NUCDET_WITH_MPI
#include "nucdet/mpi/mpi_ranks.hpp"
#endif

#include "commands.hpp"
#include "default_model.hpp"
#include "device.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "interrupt.hpp"
#include "json_output.hpp"
#include "progress.hpp"

namespace nucdet::program {

namespace {

std::string shown(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(4) << value;
  return text.str();
}

/// What a training says on stderr.
class Narrator {
 public:
  explicit Narrator(const TrainOptions& options) : options_(options), full_response_(full_response_of(options)) {}

  void step(const train::StepReport& report) {
    if (!progress_) progress_.emplace("iteration", options_.iterations, report.iteration - 1, false);
    mean_ = mean_ == 0 ? report.loss : 0.98 * mean_ + 0.02 * report.loss;
    std::ostringstream note;
    note << std::setprecision(4) << "loss " << mean_ << "  rate " << report.rate << "  " << std::fixed
         << std::setprecision(1) << static_cast<double>(report.images) / report.seconds << " images/s";
    progress_->update(report.iteration, note.str());
  }
  void validation(const train::Validation& found) const {
    std::string sets;
    const auto add = [&](const std::string& name, double f1) {
      sets += message(sets.empty() ? "  (" : ", ", printable(name), ' ', shown(f1));
    };
    if (found.sets.size() > 1)
      for (const auto& [set, f1] : found.sets) add(set, f1);
    if (found.class_f1 >= 0) add("classes", found.class_f1);
    std::fprintf(stderr, "%siteration %lld  validation loss %.5f  F1 %.4f%s at threshold %.2f%s%s\n",
                 progress_ && progress_->terminal() ? "\r\033[K" : "", static_cast<long long>(found.iteration),
                 found.loss, found.f1, (sets.empty() ? sets : sets + ")").c_str(), found.floor / full_response_,
                 found.xi > 0 ? message(", xi ", found.xi).c_str() : "", found.best ? "  (best)" : "");
  }

 private:
  const TrainOptions& options_;
  double full_response_, mean_ = 0;
  std::optional<Progress> progress_;
};

std::string best_file(const TrainOptions& o) { return (std::filesystem::path(o.out) / "best.safetensors").string(); }

void print(const TrainOptions& o, const train::Validation& best) {
  std::cout << printable(best_file(o)) << ": validation F1 " << shown(best.f1) << " at threshold " << std::fixed
            << std::setprecision(2) << best.floor / full_response_of(o);
  if (best.xi > 0) std::cout << " and xi " << best.xi;
  if (best.class_f1 >= 0) std::cout << ", mean F1 of the classes " << shown(best.class_f1);
  std::cout << ", iteration " << best.iteration << '\n';
  if (!o.initial.empty() && best.iteration == 0)
    std::cout << "nothing better came than the weights to start from: these were kept\n";
}

/// 0 of none.
double median(std::vector<double> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// seconds: of each step of this call.
Json json_of(const TrainOptions& o, const train::Validation& best, const std::vector<double>& seconds) {
  Json json{{"weights", best_file(o)},
            {"iteration", best.iteration},
            {"validation_loss", best.loss},
            {"f1", best.f1},
            {"threshold", best.floor / full_response_of(o)},
            {"xi", best.xi},
            {"steps", seconds.size()},
            {"step_seconds", median(seconds)}};
  for (const auto& [set, f1] : best.sets) json["sets"][set] = f1;
  if (best.class_f1 >= 0) json["class_f1"] = best.class_f1;
  return json;
}

template <class Device>
int train_on(Context<Device>& context, const TrainOptions& o, Ranks* ranks) {
  models::TrainingWatch watch;
  if (!o.quiet)
    watch.on_note = [](const std::string& note) { std::fprintf(stderr, "%s\n", printable_message(note).c_str()); };
  models::TrainingData data = models::load_training_data(context.host(), o, watch);
  Interrupt interrupt;  // while data are read there is nothing to keep
  Narrator narrator(o);
  std::vector<double> seconds;
  watch.stop = interrupt.token();
  watch.on_image = [&] { interrupt.poll(); };
  watch.on_step = [&](const train::StepReport& report) {
    interrupt.poll();
    if (o.json) seconds.push_back(report.seconds);
    if (!o.quiet) narrator.step(report);
  };
  if (!o.quiet) watch.on_validation = [&](const train::Validation& found) { narrator.validation(found); };
  const train::Validation best = models::train_network_on(context, o, std::move(data), watch, ranks);
  if (ranks != nullptr && ranks->rank() != 0) return 0;
  if (o.json)
    print_json(json_of(o, best, seconds));
  else
    print(o, best);
  return 0;
}

/// What may be replaced in the folder of a run, the training itself looks after.
void check_outputs(const TrainOptions& o) {
  OutputGuard guard;
  guard.input(o.initial);
  std::vector<std::string> manifests = o.manifests;
  if (!o.auxiliary.empty()) manifests.push_back(o.auxiliary);
  for (const std::string& manifest : manifests) guard.data_set(manifest);
  const std::filesystem::path folder = o.out;
  guard.folder(folder);
  for (const char* name : {"best.safetensors", "last.safetensors", "log.csv", "loss.svg", "f1.svg"})
    guard.own_output(folder / name);
}

/// ranks: this process is one of, or null.
int train_with(const TrainOptions& asked, Ranks* ranks) {
  TrainOptions o = asked;
  if (ranks != nullptr && ranks->rank() != 0) o.quiet = true;
  if (o.preset == "finetune" && o.initial.empty()) o.initial = default_model();
  check(o);
  check_outputs(o);
  return on_device(choose_device(o.device, ranks), o.device, {.seed = o.seed}, o.quiet,
                   [&](auto& context) { return train_on(context, o, ranks); });
}

#ifdef NUCDET_WITH_MPI
/// What to say of ranks that do not come: where to go on from.
std::string lost(const RanksError& error, const TrainOptions& o) {
  const std::filesystem::path last = std::filesystem::path(o.out) / "last.safetensors";
  std::error_code none;
  return message(error.what(), std::filesystem::exists(last, none)
                                   ? message("; --resume goes on from ", last.string())
                                   : std::string("; no checkpoint had been written yet"));
}

/// One of several processes. An error of one ends all; what happens to all is told by the first alone.
int train_together(const TrainOptions& o) {
  const std::chrono::seconds patience(o.rank_patience);
  mpi::MpiRanks ranks({.patience = patience, .start = 10 * patience});
  std::exception_ptr error;
  try {
    return train_with(o, &ranks);
  } catch (const Stopped& stopped) {  // in order, by all of them
    if (ranks.rank() == 0) complain(stopped.what());
    return kStopped;
  } catch (const RanksError& found) { error = std::make_exception_ptr(RanksError(lost(found, o))); } catch (...) {
    error = std::current_exception();
  }
  if (ranks.rank() != 0) std::this_thread::sleep_for(std::chrono::seconds(3));
  ranks.abort(guarded([&]() -> int { std::rethrow_exception(error); }));
}
#endif

}  // namespace

int train(const TrainOptions& o) {
#ifdef NUCDET_WITH_MPI
  if (mpi::launched()) return train_together(o);
#endif
  return train_with(o, nullptr);
}

}  // namespace nucdet::program

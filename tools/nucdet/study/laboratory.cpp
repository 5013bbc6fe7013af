#include "laboratory.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "nucdet/core/watch.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/file_lock.hpp"
#include "nucdet/io/metadata.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/version.hpp"

#include "../interrupt.hpp"
#include "../progress.hpp"
#include "report.hpp"

namespace nucdet::program::studies {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kCostPixels = 512.0 * 512;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Empty where there is no such file.
std::string read_text(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The seconds that earlier runs of a training took, kept beside its checkpoint.
double seconds_before(const fs::path& folder) {
  std::ifstream in(folder / "seconds.txt");
  double seconds = 0;
  in >> seconds;
  return seconds;
}

template <class Device>
class LaboratoryOn final : public Laboratory {
 public:
  LaboratoryOn(Context<Device>& context, const LaboratoryOptions& options)
      : context_(context),
        options_(options),
        store_(options.out, std::string(name_of(context.precision()))),
        ledger_(options.shard) {}

  Context<Cpu>& host() override { return context_.host(); }
  std::size_t unknown() const override { return unknown_; }
  const Ledger& ledger() const override { return ledger_; }

  Trained train(const Training& t) override {
    Trained trained{.folder = store_.folder_of(t), .known = true, .failure = {}, .validation_f1 = 0};
    Unit& unit = ledger_.unit(trained.folder.string(), t.label, [&] { return flop_of(t); });
    bool before = is_trained(trained.folder);
    if (before) sweep(trained.folder);
    const std::optional<io::FileLock> lock =
        !before && may_train(unit, t) ? begin_alone(trained.folder) : std::optional<io::FileLock>();
    if (!before && !lock) {
      ++unknown_;
      trained.known = false;
      return trained;
    }
    before = is_trained(trained.folder);  // another call may have ended it before the lock was free
    const auto begin = Clock::now();
    if (!before) run(t, trained.folder);
    unit.done = true, unit.seconds = seconds_of(trained.folder), unit.device = device_of(trained.folder);
    trained.failure = read_text(trained.folder / "failure.txt");
    if (trained.failure.empty()) trained.validation_f1 = validation_f1_of(trained.folder);
    if (!before)
      say(message("trained ", t.label, ": ",
                  trained.failure.empty() ? "validation F1 " + shown(trained.validation_f1) : trained.failure),
          begin);
    return trained;
  }

  Validated validate(const Trained& trained, const fs::path& weights, const PartPtr& part) override {
    return {scores_on(trained, weights, *part)};
  }
  Tested test(const Trained& trained, const fs::path& weights, const TestPart& part) override {
    return {scores_on(trained, weights, part.judged())};
  }

  void decide(std::size_t unknown_before, const std::string& what) override {
    if (unknown_ == unknown_before) return;
    if (options_.work == Work::look || options_.work == Work::test)
      ledger_.assume();
    else
      throw Undecided(message(unknown_ - unknown_before, " results are not there yet that decide on ", what));
  }

  Cost cost(const models::NetworkChoice& network) override {
    const auto [known, fresh] = costs_.emplace(describe(network), Cost{});
    if (!fresh) return known->second;
    const auto model = models::make_network(context_, network);
    known->second = {model->parameters()->parameter_count(), gflop(network), 0};
    if (options_.work == Work::all) known->second.milliseconds = milliseconds_of(*model);
    return known->second;
  }

  double gflop(const models::NetworkChoice& network) override {
    const auto [known, fresh] = gflop_.emplace(describe(network), 0);
    if (fresh) {
      const auto model = models::make_network(context_, network, nn::Start::zeros);
      known->second = 1e-9 * static_cast<double>(model->plan({1, 512, 512, 3}).total_flops());
    }
    return known->second;
  }

  std::vector<std::string> blocks(const models::NetworkChoice& network) override {
    const auto model = models::make_network(context_, network, nn::Start::zeros);
    std::vector<std::string> names;
    for (const auto& step : model->program().steps()) {
      const std::string name = step.node.substr(0, step.node.find('.'));
      const bool head = name.starts_with("ctx") || name == "out" || name == "map";
      if (!head && (names.empty() || names.back() != name)) names.push_back(name);
    }
    return names;
  }

 private:
  double milliseconds_of(const nn::Model<Device>& model) {
    const auto program = nn::for_inference(model);
    const Tensor<Device> x = context_.zeros(Shape{1, 512, 512, 3});
    nn::Workspace<Device> workspace;
    std::vector<double> times;
    for (int i = 0; i < 6; ++i) {
      context_.synchronize();
      const auto begin = Clock::now();
      const Tensor<Device> y = program.forward(context_, workspace, x);
      context_.synchronize();
      if (i > 0) times.push_back(1e3 * since(begin));
    }
    std::nth_element(times.begin(), times.begin() + 2, times.end());
    return times[2];
  }

  /// Backward passes cost twice a forward pass; what is mixed in is a second batch.
  double flop_of(const Training& t) {
    const models::TrainingConfiguration& o = t.options;
    const double pixels = static_cast<double>(o.iterations * o.batch * o.crop * o.crop) * (t.auxiliary ? 2 : 1);
    return 3 * 1e9 * gflop(o.network) * pixels / kCostPixels;
  }

  /// A shard leaves alone what is others', and what begins with weights that are not there yet: best weights may still
  /// change until their training has ended.
  bool may_train(const Unit& unit, const Training& t) const {
    if (options_.work == Work::all) return true;
    const fs::path initial = t.options.initial;
    const bool ready = initial.empty() || is_trained(initial.parent_path());
    return options_.work == Work::shard && unit.mine && ready;
  }

  static fs::path lock_of(const fs::path& folder) {
    return folder.parent_path() / message('.', folder.filename().string(), ".nucdet.lock");
  }

  /// What a call that was killed at the very end of a training has left.
  void sweep(const fs::path& folder) const {
    if (options_.work != Work::all && options_.work != Work::shard) return;
    std::error_code none;
    for (const fs::path& left : {folder / "last.safetensors", folder / "seconds.txt", lock_of(folder)})
      fs::remove(left, none);
  }

  /// Other studies, and this one in other shards or as a whole, ask for some of the same trainings: one call makes
  /// each. Nothing where another one is at it and this one is a shard, which can wait.
  std::optional<io::FileLock> begin_alone(const fs::path& folder) const {
    io::make_folder(folder.parent_path());
    auto lock = io::FileLock::attempt(lock_of(folder));
    if (!lock && options_.work == Work::all)
      throw IoError(message(folder.string(), ": another run of nucdet trains this: wait for its end"));
    return lock;
  }

  Scores scores_on(const Trained& trained, const fs::path& weights, const Part& part) {
    if (!trained.usable()) return no_scores(part);
    const fs::path path = store_.scores_of(weights, part);
    if (fs::exists(path)) return read_scores(path);
    if (options_.work == Work::look) {
      ++unknown_;
      return no_scores(part);
    }
    models::LoadedModel<Device> loaded = models::load_model(context_, weights);
    const double xi = loaded.peaks.relative, floor = static_cast<double>(loaded.peaks.absolute);
    loaded.peaks.absolute = std::min(loaded.peaks.absolute, loaded.least_floor());
    const detect::Detector detector(*loaded.model, loaded.peaks, loaded.normalization);
    std::vector<metrics::Candidates> images;
    for (const data::Sample& sample : part.samples) {
      const View<const float> image = view_of(sample.image);
      AnnotatedPoints truth = data::annotated(sample);
      images.push_back({detector.candidates(image, detector.statistics(image)), std::move(truth.points),
                        std::move(truth.classes), sample.areas});
    }
    const match::HungarianMatcher matcher;
    Scores scores;
    for (const metrics::Candidates& image : images)
      scores.score += metrics::score_of(metrics::match_above(matcher, image, xi, floor).matching);
    scores.curve = metrics::precision_recall(matcher, images, metrics::default_thresholds());
    write_scores(path, scores);
    return scores;
  }

  /// Why there are no weights to begin with, or empty: the training that was to leave them failed, or ended before.
  static std::string without_start(const Training& t) {
    const fs::path initial = t.options.initial;
    if (initial.empty()) return {};
    const fs::path base = initial.parent_path();
    if (const std::string failure = read_text(base / "failure.txt"); !failure.empty())
      return message("the training to begin with failed: ", failure);
    if (fs::exists(initial) || !is_trained(base)) return {};
    return message("the training to begin with ended before ", initial.stem().string());
  }

  /// Trains, from the folder's checkpoint if there is one. What was run is written after all that it tells of; the
  /// checkpoint goes after that, since without it a call that is killed in between would train from the start.
  void run(const Training& t, const fs::path& folder) {
    const auto begin = Clock::now();
    const double before = seconds_before(folder);
    std::string failure = without_start(t);
    io::make_folder(folder);
    const auto keep_time = [&] { io::write_atomically(folder / "seconds.txt", message(before + since(begin), '\n')); };
    try {
      if (failure.empty()) train_in(t, folder, keep_time);
    } catch (const NumericError& error) { failure = error.what(); } catch (const Stopped&) {
      keep_time();
      throw;
    }
    if (!failure.empty()) io::write_atomically(folder / "failure.txt", failure);
    io::JsonRecord record = store_.record_of(t);
    record.insert(record.begin(), {"format", std::string("nucdet-training-1")});
    record.push_back({"version", std::string(NUCDET_VERSION_STRING)});
    record.push_back({"device", options_.device});
    record.push_back({"seconds", before + since(begin)});
    if (failure.empty()) {  // here, too, so that tables are made without the weights
      const fs::path best = folder / "best.safetensors";
      record.push_back({"validation f1", io::metadata_number(io::SafeTensorReader(best).header().metadata,
                                                             "validation.f1", 0, best.string())});
    }
    record.push_back({"failure", failure});
    io::write_records_json(folder / "training.json", {record});
    std::error_code none;
    fs::remove(folder / "last.safetensors", none), fs::remove(folder / "seconds.txt", none);
  }

  template <class Kept>
  void train_in(const Training& t, const fs::path& folder, const Kept& kept) {
    models::TrainingConfiguration options = t.options;
    options.out = folder.string(), options.resume = true;
    typename Context<Device>::Options own =
        context_.options();  // the seed of the first weights and of dropout is the context's
    own.seed = options.seed;
    Context<Device> context(own);
    Interrupt interrupt;
    models::TrainingWatch watch;
    watch.stop = interrupt.token();
    watch.on_step = [&](const train::StepReport&) { interrupt.poll(); };
    watch.on_image = [&] { interrupt.poll(); };
    watch.on_validation = [&](const train::Validation&) { kept(); };
    models::train_network_on(context, options,
                             {t.target->text, t.target->samples, t.validation->samples,
                              t.auxiliary ? t.auxiliary->samples : data::Dataset{}},
                             watch);
  }

  void say(const std::string& text, Clock::time_point begin) const {
    if (!options_.quiet) std::fprintf(stderr, "%s (%s)\n", text.c_str(), duration_text(since(begin)).c_str());
  }

  Context<Device>& context_;
  LaboratoryOptions options_;
  Store store_;
  Ledger ledger_;
  std::map<std::string, double> gflop_{};
  std::map<std::string, Cost> costs_{};
  std::size_t unknown_ = 0;
};

}  // namespace

template <class Device>
std::unique_ptr<Laboratory> make_laboratory(Context<Device>& context, const LaboratoryOptions& options) {
  return std::make_unique<LaboratoryOn<Device>>(context, options);
}

template std::unique_ptr<Laboratory> make_laboratory(Context<Cpu>&, const LaboratoryOptions&);
#ifdef NUCDET_WITH_CUDA
template std::unique_ptr<Laboratory> make_laboratory(Context<Cuda>&, const LaboratoryOptions&);
#endif

}  // namespace nucdet::program::studies

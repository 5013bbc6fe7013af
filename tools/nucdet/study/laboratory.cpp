#include "laboratory.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/metadata.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/models/augmentation.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/version.hpp"

#include "../progress.hpp"
#include "report.hpp"

namespace nucdet::program::studies {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Letters, digits and a few signs; the rest becomes '-'.
std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '+';
    if (plain || name.empty() || name.back() != '-') name += plain ? c : '-';
  }
  return name.substr(0, 120);
}

/// Everything that decides what a training gives.
io::JsonRecord record_of(const Training& t, const std::string& precision) {
  const models::TrainingConfiguration& o = t.options;
  std::string frozen;
  for (const std::string& block : o.freeze) frozen += (frozen.empty() ? "" : " ") + block;
  const fs::path initial = o.initial;
  const auto part = [](const PartPtr& p) {
    return p ? message(p->text, " (", p->samples.size(), " images, ", hexadecimal(p->hash), ")") : std::string("none");
  };
  return {
      {"network", describe(o.network)},
      {"label", o.label},
      {"radius", o.radius.value_or(0)},
      {"alpha", o.alpha},
      {"loss", o.loss},
      {"lambda", o.lambda},
      {"least mean", o.least_mean},
      {"normalization", o.normalization},
      {"average", o.average},
      {"gamma", o.gamma},
      {"optimizer", o.optimizer},
      {"rate", o.rate},
      {"momentum", o.momentum},
      {"decay", o.decay},
      {"clip", o.clip},
      {"schedule", o.schedule},
      {"patience", static_cast<double>(o.patience)},
      {"warmup", static_cast<double>(o.warmup.value_or(0))},
      {"iterations", static_cast<double>(o.iterations)},
      {"validate_every", static_cast<double>(o.validate_every)},
      {"snapshot_every", static_cast<double>(o.snapshot_every)},
      {"best", o.best},
      {"batch", static_cast<double>(o.batch)},
      {"crop", static_cast<double>(o.crop)},
      {"augmentation", models::describe(o.augment)},
      {"seed", static_cast<double>(o.seed)},
      {"frozen", frozen},
      {"initial", o.initial.empty() ? std::string() : (initial.parent_path().filename() / initial.filename()).string()},
      {"precision", precision},
      {"target", part(t.target)},
      {"validation", part(t.validation)},
      {"auxiliary", part(t.auxiliary)}};
}

std::uint64_t hash_of(const io::JsonRecord& record) {
  ContentHash hash;
  for (const auto& [name, value] : record) {
    hash.add(name);
    if (const auto* text = std::get_if<std::string>(&value)) hash.add(*text);
    if (const auto* number = std::get_if<double>(&value)) hash.add(*number);
  }
  return hash.value();
}

constexpr const char* kTestHeader = "xi,floor,hits,false_alarms,misses,distance_sum,distance_squares";

void write_test(const fs::path& path, const Tested& tested) {
  std::ostringstream csv;
  csv << kTestHeader << '\n' << std::setprecision(17);
  const auto row = [&](double xi, double floor, const metrics::Score& s) {
    csv << xi << ',' << floor << ',' << s.hits << ',' << s.false_alarms << ',' << s.misses << ',' << s.distance_sum
        << ',' << s.distance_squares << '\n';
  };
  row(-1, -1, tested.score);  // at the model's own thresholds
  for (const metrics::CurvePoint& p : tested.curve) row(p.xi, p.floor, p.score);
  io::write_atomically(path, csv.str());
}

Tested read_test(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  Tested tested;
  if (!std::getline(in, line) || line != kTestHeader)
    throw IoError(message(path.string(), ": header is '", line, "', wanted '", kTestHeader, "'"));
  for (bool first = true; std::getline(in, line); first = false) {
    metrics::CurvePoint p;
    std::istringstream cells(line);
    char comma = 0;
    cells >> p.xi >> comma >> p.floor >> comma >> p.score.hits >> comma >> p.score.false_alarms >> comma >>
        p.score.misses >> comma >> p.score.distance_sum >> comma >> p.score.distance_squares;
    if (!cells) throw IoError(message(path.string(), ": row '", line, "' is not seven numbers"));
    if (first)
      tested.score = p.score;
    else
      tested.curve.push_back(p);
  }
  if (tested.curve.empty()) throw IoError(message(path.string(), ": no rows"));
  return tested;
}

template <class Device>
class LaboratoryOn final : public Laboratory {
 public:
  LaboratoryOn(Context<Device>& context, const fs::path& out, bool quiet)
      : context_(context), models_(out / "models"), tests_(out / "tests"), quiet_(quiet) {
    io::make_folder(models_), io::make_folder(tests_);
  }

  Context<Cpu>& host() override { return context_.host(); }

  Trained train(const Training& t) override {
    const io::JsonRecord record = record_of(t, std::string(name_of(context_.precision())));
    Trained trained{models_ / (file_name(t.label) + "-" + hexadecimal(hash_of(record), 10)), "", 0};
    const fs::path done = trained.folder / "training.json";
    const bool before = fs::exists(done);
    const auto begin = Clock::now();
    if (!before) {
      std::string failure;
      try {
        run(t, trained.folder);
      } catch (const NumericError& error) { failure = error.what(); }
      finish(done, record, failure, begin);
    }
    trained.failure = read_text(trained.folder / "failure.txt");
    if (trained.failure.empty())
      trained.validation_f1 = io::metadata_number(io::SafeTensorReader(trained.weights()).header().metadata,
                                                  "validation.f1", 0, trained.weights().string());
    if (!before)
      say(message("trained ", t.label, ": ",
                  trained.failure.empty() ? "validation F1 " + shown(trained.validation_f1) : trained.failure),
          begin);
    return trained;
  }

  Tested test(const fs::path& weights, const Part& part) override {
    const std::string name = weights.parent_path().filename().string() + "-" + weights.stem().string();
    const fs::path path = tests_ / (name + "-" + file_name(part.text) + "-" + hexadecimal(part.hash, 10) + ".csv");
    if (fs::exists(path)) return read_test(path);
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
    Tested tested;
    for (const metrics::Candidates& image : images)
      tested.score += metrics::score_of(metrics::match_above(matcher, image, xi, floor).matching);
    tested.curve = metrics::precision_recall(matcher, images, metrics::default_thresholds());
    write_test(path, tested);
    return tested;
  }

  Cost cost(const models::NetworkChoice& network) override {
    const auto model = models::make_network(context_, network);
    const Shape shape{1, 512, 512, 3};
    Cost cost{model->parameters()->parameter_count(), 1e-9 * static_cast<double>(model->plan(shape).total_flops()), 0};
    const auto program = nn::for_inference(*model);
    const Tensor<Device> x = context_.zeros(shape);
    nn::Workspace<Device> workspace;
    std::vector<double> times;
    for (int i = 0; i < 6; ++i) {
      context_.synchronize();
      const auto begin = Clock::now();
      const Tensor<Device> y = program.forward(context_, workspace, x);
      context_.synchronize();
      if (i > 0) times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
    std::nth_element(times.begin(), times.begin() + 2, times.end());
    cost.milliseconds = times[2];
    return cost;
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
  void run(const Training& t, const fs::path& folder) {
    models::TrainingConfiguration options = t.options;
    options.out = folder.string(), options.resume = true;
    typename Context<Device>::Options own =
        context_.options();  // the seed of the first weights and of dropout is the context's
    own.seed = options.seed;
    Context<Device> context(own);
    models::train_network_on(context, options,
                             {t.target->text, t.target->samples, t.validation->samples,
                              t.auxiliary ? t.auxiliary->samples : data::Dataset{}});
  }

  /// The checkpoint is no longer needed; what was run is written last, as it says that all is there.
  void finish(const fs::path& done, io::JsonRecord record, const std::string& failure, Clock::time_point begin) {
    if (!failure.empty()) io::write_atomically(done.parent_path() / "failure.txt", failure);
    std::error_code none;
    fs::remove(done.parent_path() / "last.safetensors", none);
    record.insert(record.begin(), {"format", std::string("nucdet-training-1")});
    record.push_back({"version", std::string(NUCDET_VERSION_STRING)});
    record.push_back({"seconds", std::chrono::duration<double>(Clock::now() - begin).count()});
    record.push_back({"failure", failure});
    io::write_records_json(done, {record});
  }

  static std::string read_text(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void say(const std::string& text, Clock::time_point begin) const {
    if (quiet_) return;
    std::fprintf(stderr, "%s (%s)\n", text.c_str(),
                 duration_text(std::chrono::duration<double>(Clock::now() - begin).count()).c_str());
  }

  Context<Device>& context_;
  fs::path models_, tests_;
  bool quiet_;
};

}  // namespace

template <class Device>
std::unique_ptr<Laboratory> make_laboratory(Context<Device>& context, const fs::path& out, bool quiet) {
  return std::make_unique<LaboratoryOn<Device>>(context, out, quiet);
}

template std::unique_ptr<Laboratory> make_laboratory(Context<Cpu>&, const fs::path&, bool);
#ifdef NUCDET_WITH_CUDA
template std::unique_ptr<Laboratory> make_laboratory(Context<Cuda>&, const fs::path&, bool);
#endif

}  // namespace nucdet::program::studies

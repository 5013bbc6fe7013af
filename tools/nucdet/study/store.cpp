#include "store.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/models/augmentation.hpp"

namespace nucdet::program::studies {

namespace {

namespace fs = std::filesystem;

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

}  // namespace

const metrics::Score& Scores::at(double xi) const {
  for (const metrics::CurvePoint& p : curve)
    if (p.xi == xi) return p.score;
  throw ArgumentError(message("study: no scores at the threshold ", xi));
}

io::JsonRecord Store::record_of(const Training& t) const {
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
      {"precision", precision_},
      {"target", part(t.target)},
      {"validation", part(t.validation)},
      {"auxiliary", part(t.auxiliary)}};
}

fs::path Store::folder_of(const Training& t) const {
  return models_ / (file_name(t.label) + "-" + hexadecimal(hash_of(record_of(t)), 10));
}

fs::path Store::scores_of(const fs::path& weights, const Part& part) const {
  const std::string name = weights.parent_path().filename().string() + "-" + weights.stem().string();
  return tests_ / (name + "-" + file_name(part.text) + "-" + hexadecimal(part.hash, 10) + ".csv");
}

bool is_trained(const fs::path& folder) { return fs::exists(folder / "training.json"); }

namespace {

/// What of a finished training's record follows a name; empty without it.
std::string recorded(const fs::path& folder, const std::string& name) {
  std::ifstream in(folder / "training.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}}, key = '"' + name + "\":";
  const std::size_t found = text.find(key);
  if (found == text.npos) return {};
  return text.substr(std::min(text.find_first_not_of(' ', found + key.size()), text.size()));
}

/// 0 without it.
double recorded_number(const fs::path& folder, const std::string& name) {
  const std::string rest = recorded(folder, name);
  double number = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

}  // namespace

double seconds_of(const fs::path& folder) { return recorded_number(folder, "seconds"); }
double validation_f1_of(const fs::path& folder) { return recorded_number(folder, "validation f1"); }

std::string device_of(const fs::path& folder) {
  const std::string rest = recorded(folder, "device");  // names of devices have no quotes in them
  return rest.starts_with('"') ? rest.substr(1, rest.find('"', 1) - 1) : std::string();
}

void write_scores(const fs::path& path, const Scores& scores) {
  std::ostringstream csv;
  csv << kTestHeader << '\n' << std::setprecision(17);
  const auto row = [&](double xi, double floor, const metrics::Score& s) {
    csv << xi << ',' << floor << ',' << s.hits << ',' << s.false_alarms << ',' << s.misses << ',' << s.distance_sum
        << ',' << s.distance_squares << '\n';
  };
  row(-1, -1, scores.score);  // at the model's own thresholds
  for (const metrics::CurvePoint& p : scores.curve) row(p.xi, p.floor, p.score);
  io::make_folder(path.parent_path());
  io::write_atomically(path, csv.str());
}

Scores read_scores(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  Scores scores;
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
      scores.score = p.score;
    else
      scores.curve.push_back(p);
  }
  if (scores.curve.empty()) throw IoError(message(path.string(), ": no rows"));
  return scores;
}

Scores no_scores(const Part& part) {
  Scores nothing;
  for (const data::Sample& s : part.samples) nothing.score.misses += static_cast<Index>(s.points.size());
  for (const double xi : metrics::default_thresholds()) nothing.curve.push_back({xi, 0, nothing.score});
  return nothing;
}

}  // namespace nucdet::program::studies

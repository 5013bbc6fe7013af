#include "common.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iomanip>
#include <set>

#include <unistd.h>

#include "nucdet/io/image.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"

namespace nucdet::program {

std::vector<io::ManifestEntry> entries_of(const std::string& manifest, const std::string& split) {
  std::vector<io::ManifestEntry> entries = io::read_manifest(manifest);
  std::set<std::string> splits;
  for (const io::ManifestEntry& e : entries) splits.insert(e.split);
  if (!split.empty()) std::erase_if(entries, [&](const io::ManifestEntry& e) { return e.split != split; });
  if (!entries.empty()) return entries;
  if (splits.empty()) throw IoError(message(manifest, ": no images"));
  std::string there;
  for (const std::string& s : splits) there += (there.empty() ? "'" : ", '") + s + "'";
  throw IoError(message(manifest, ": no images of split '", split, "', only of ", there));
}

void check_names(const std::vector<io::ManifestEntry>& entries) {
  std::set<std::string> names;
  for (const io::ManifestEntry& e : entries)
    if (const std::string name = e.image.stem().string(); !names.insert(name).second)
      throw ArgumentError(message("two images are called '", name, "': their results would overwrite each other"));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw IoError(message(folder.string(), ": cannot be made: ", error.message()));
}

data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry) {
  const Image image = io::read_image(entry.image);
  std::vector<Point> points;
  if (!entry.annotations.empty()) points = io::read_points(entry.annotations);
  try {
    return data::make_sample(context, image, points, entry.scale, entry.image.string(), entry.organ);
  } catch (const ArgumentError& error) { throw IoError(error.what()); }  // here the files are wrong, not the call
}

data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries) {
  const Index count = static_cast<Index>(entries.size());
  data::Dataset dataset(entries.size());
  std::vector<std::exception_ptr> errors(entries.size());
  std::atomic<Index> first_error = count;
  context.run(count, [&](Index i, int) {
    if (i > first_error) return;
    const auto at = static_cast<std::size_t>(i);
    try {
      if (entries[at].annotations.empty())
        throw IoError(message(entries[at].image.string(), ": no annotations, wanted a CSV of nucleus centres"));
      dataset[at] = load_sample(context, entries[at]);
    } catch (...) {
      errors[at] = std::current_exception();
      for (Index known = first_error; i < known && !first_error.compare_exchange_weak(known, i);) {}
    }
  });
  if (first_error < count) std::rethrow_exception(errors[static_cast<std::size_t>(first_error)]);
  return dataset;
}

detect::ComponentCentroids regions_of(const ThresholdOptions& thresholds, detect::LocalMaxima peaks) {
  peaks.set_threshold(*thresholds.components);
  return {.threshold = peaks.absolute, .least_area = 10};  // smaller regions are specks
}

std::string default_model() {
  namespace fs = std::filesystem;
  if (const char* named = std::getenv("NUCDET_MODEL"); named != nullptr && *named != '\0') return named;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path())
    for (const char* place : {"share/nucdet/models", "models"})
      if (const fs::path file = folder / place / "nuclei-he.safetensors"; fs::is_regular_file(file, error))
        return file.string();
  throw IoError(message("no --model was given, and models/nuclei-he.safetensors is neither beside ", program.string(),
                        " nor above it; NUCDET_MODEL may name one"));
}

namespace {

/// The weighted loss takes labels to 5, the others leave them at 1.
float full_response_of(const io::Metadata& metadata) {
  const auto loss = metadata.find("loss");
  return loss == metadata.end() || loss->second == "weighted" ? 5.0f : 1.0f;
}

}  // namespace

template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const std::string& path, const ThresholdOptions& thresholds) {
  const io::SafeTensorFile file = io::read_safetensors(path);
  LoadedModel<Device> loaded{make_network(context, from_metadata(file.metadata, path), nn::Start::zeros),
                             file.metadata};
  loaded.normalization = io::normalization_from(file.metadata, path);
  loaded.peaks = io::peaks_from(file.metadata, path);
  loaded.full_response = loaded.peaks.full_scale > 0 ? loaded.peaks.full_scale : full_response_of(file.metadata);
  const std::string prefix = file.find("optimizer") != nullptr ? "weight/" : "";
  if (prefix.empty()) {
    io::apply_weights(file, *loaded.model, path);
  } else {
    io::SafeTensorFile weights;
    for (const io::SafeTensor& tensor : file.tensors)
      if (tensor.name.starts_with(prefix)) weights.tensors.push_back(tensor);
    io::apply_weights(weights, *loaded.model, path, prefix);
  }
  loaded.peaks.relative = thresholds.xi.value_or(loaded.peaks.relative);
  if (thresholds.threshold) loaded.peaks.set_threshold(*thresholds.threshold);
  loaded.peaks.check();
  return loaded;
}

template LoadedModel<Cpu> load_model(Context<Cpu>&, const std::string&, const ThresholdOptions&);
#ifdef NUCDET_WITH_CUDA
template LoadedModel<Cuda> load_model(Context<Cuda>&, const std::string&, const ThresholdOptions&);
#endif

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::max(0.0, seconds));
  if (s >= 3600) return message(s / 3600, " h ", s / 60 % 60, " min");
  if (s >= 60) return message(s / 60, " min ", s % 60, " s");
  return message(s, " s");
}

Progress::Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet)
    : what_(std::move(what)),
      total_(total),
      start_(done),
      quiet_(quiet),
      terminal_(isatty(2) == 1),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_ - std::chrono::hours(1)) {}

Progress::~Progress() {
  if (terminal_ && drawn_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  const double since_last = std::chrono::duration<double>(now - last_).count();
  if (done < total_ && since_last < (terminal_ ? 0.2 : 30.0)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = static_cast<double>(done - start_) / std::max(seconds, 1e-9);
  const std::string left = done > start_ ? duration_text(static_cast<double>(total_ - done) / rate) : "?";
  const std::string line = message(what_, ' ', done, '/', total_, "  ", note, "  left ", left);
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace nucdet::program

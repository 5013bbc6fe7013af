#include "cohort.hpp"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/version.hpp"

#include "detect_part.hpp"
#include "detect_results.hpp"
#include "endings.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

/// An image's files: of MIRAX also those in the folder that is called as the slide is. In an order of their names.
std::vector<fs::path> files_of(const Input& input) {
  const fs::path& image = input.entry.image;
  std::vector<fs::path> files{image};
  std::error_code none;
  if (const fs::path folder = fs::path(image).replace_extension();
      small_letters(image.extension().string()) == ".mrxs" && fs::is_directory(folder, none))
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, none))
      if (entry.is_regular_file(none)) files.push_back(entry.path());
  std::sort(files.begin() + 1, files.end());
  return files;
}

/// 0 for what is missing: that is told when it is read.
std::uint64_t bytes_of(const Input& input) {
  std::uint64_t sum = 0;
  for (const fs::path& file : files_of(input)) {
    std::error_code error;
    const std::uint64_t size = fs::file_size(file, error);
    if (!error) sum += size;
  }
  return sum;
}

/// By what an image's content is known again: the size and samples of its files, or with --full-hash all of them.
std::string input_hash(const DetectOptions& o, const Input& input) {
  const std::vector<fs::path> files = files_of(input);
  const auto hash_of = [&](const fs::path& file) {
    return o.full_hash ? io::content_hash_of(file) : io::sampled_hash_of(file);
  };
  if (files.size() == 1) return hash_of(files[0]);
  ContentHash all;
  for (const fs::path& file : files) all.add(file.filename().string()), all.add(hash_of(file));
  return all.text();
}

std::string host_name() {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

Shard shard_of(const DetectOptions& o, std::size_t images) {
  if (!o.shard.empty()) return parse_shard(o.shard);
  if (images < 2) return {};
  const std::optional<Shard> mine = shard_of_array([](const char* name) { return std::getenv(name); });
  if (!mine) return {};
  if (!mine->whole())
    note(message("shard ", mine->text(), " of ", images,
                 " images, as this is a task of a job array (SLURM_ARRAY_TASK_ID); --shard 1/1: all of them"));
  return *mine;
}

void keep_shard(std::vector<Input>& inputs, const Shard& shard) {
  if (shard.whole()) return;
  std::vector<Share> shares;
  for (const Input& input : inputs) shares.push_back({input.name.generic_string(), bytes_of(input)});
  std::vector<Input> mine;
  for (const std::size_t i : in_shard(shares, shard)) mine.push_back(std::move(inputs[i]));
  inputs = std::move(mine);
}

ResultKey key_of(const DetectOptions& o, const Input& input, const io::DetectionReport& settings,
                 const ChosenDevice& device) {
  const std::string content = input_hash(o, input);
  ContentHash hash;
  hash.add(NUCDET_VERSION_STRING), hash.add(settings.model_hash), hash.add(content);
  const auto areas = areas_file(o.areas, input);
  hash.add(areas ? io::content_hash_of(*areas) : std::string());
  const io::ManifestEntry& e = input.entry;
  hash.add(o.pixel_size.mpp.value_or(e.mpp.value_or(0))), hash.add(o.pixel_size.scale.value_or(e.scale.value_or(0)));
  hash.add(static_cast<double>(settings.threshold)), hash.add(settings.xi),
      hash.add(o.thresholds.components.value_or(0));
  for (const Index number : {settings.tile, Index{o.average}, Index{o.device.exact}, o.page.value_or(0)})
    hash.add(static_cast<double>(number));
  for (const Index number : o.region) hash.add(static_cast<double>(number));
  hash.add(o.tissue.empty() || o.tissue == "auto" || o.tissue == "all" ? o.tissue : io::content_hash_of(o.tissue));
  if (input.slide && o.origin != "level0") hash.add(o.origin);
  hash.add(o.device.precision);
  if (device.cuda && !o.device.fuse) hash.add("no fuse");
  ContentHash journal = hash;
  journal.add(device.numbers);
  hash.add(static_cast<double>(o.ids));
  for (const double number : o.offset) hash.add(number);
  return {content, hash.text(), journal.text()};
}

std::optional<io::FileLock> lock_results(const DetectOptions& o, const Input& input) {
  const fs::path result = input.result(o.out, "");
  return io::FileLock::attempt(result.parent_path() / ('.' + result.filename().string() + ".nucdet.lock"));
}

RunRecorder::RunRecorder(const DetectOptions& o, const Shard& shard, const io::DetectionReport& settings)
    : options_(o),
      report_(o.report),
      shard_(shard.text()),
      host_(host_name()),
      device_(settings.device),
      classes_(settings.classes.all()) {}

void RunRecorder::begin() { started_ = utc_now(), begin_ = std::chrono::steady_clock::now(); }

ImageRecord RunRecorder::record_of(const Input& input, const ResultKey& key) const {
  ImageRecord r{.image = fs::absolute(input.entry.image).lexically_normal().string(), .input = key.input};
  r.key = key.results;
  r.classes = classes_, r.row.image = input.name.generic_string();
  r.started = started_.empty() ? utc_now() : started_;
  r.host = host_, r.version = NUCDET_VERSION_STRING, r.shard = shard_;
  for (const fs::path& file : result_files(options_, input)) r.files.push_back(report_.named(file));
  return r;
}

void RunRecorder::done(const Input& input, const ResultKey& key, const io::SummaryRow& row) {
  if (!report_.wanted()) return;
  ImageRecord r = record_of(input, key);
  r.row = row, r.device = device_;
  report_.add(r);
}

void RunRecorder::failed(const Input& input, const ResultKey& key, const std::string& error) {
  if (!report_.wanted()) return;
  ImageRecord r = record_of(input, key);
  r.state = ImageRecord::State::failed, r.error = error, r.device = device_, r.files.clear();
  r.row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  report_.add(r);
}

void RunRecorder::skipped(const Input& input, const ResultKey& key, bool corrected) {
  if (!report_.wanted() || (!corrected && report_.knows(input.name.generic_string(), key.results))) return;
  ImageRecord r = record_of(input, key);
  r.state = ImageRecord::State::skipped, r.corrected = corrected;
  const std::string name = r.row.image;
  KnownResult known = known_result(input.result(options_.out, ".json"));
  r.row = std::move(known.row), r.device = std::move(known.device);
  r.row.image = name;
  if (r.row.of_class.empty()) r.classes.clear();
  report_.add(r);
}

}  // namespace nucdet::program

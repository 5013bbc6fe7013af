#include "training_metadata.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/io/detail/json_text.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/models/augmentation.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/version.hpp"

namespace nucdet::models {

io::Metadata describe_run(const TrainingConfiguration& o, const TrainingData& data,
                          const data::Normalization& normalization, const std::string& precision) {
  io::Metadata m = to_metadata(o.network);
  m.merge(io::to_metadata(normalization));
  m["nucdet.version"] = NUCDET_VERSION_STRING;
  m["pixels"] = "reference pixels, 0.25 um";
  m["label"] = o.label, m["label.alpha"] = io::number_text(o.alpha), m["label.radius"] = io::number_text(*o.radius);
  m["loss"] = o.loss, m["loss.lambda"] = io::number_text(o.lambda),
  m["loss.least_mean"] = io::number_text(o.least_mean);
  m["optimizer"] = o.optimizer, m["optimizer.rate"] = io::number_text(o.rate),
  m["optimizer.momentum"] = io::number_text(o.momentum);
  m["optimizer.decay"] = io::number_text(o.decay), m["optimizer.clip"] = io::number_text(o.clip);
  m["schedule"] = o.schedule, m["schedule.patience"] = io::number_text(static_cast<double>(o.patience)),
  m["schedule.warmup"] = io::number_text(static_cast<double>(*o.warmup));
  m["train.iterations"] = std::to_string(o.iterations), m["train.validate_every"] = std::to_string(o.validate_every);
  m["train.batch"] = std::to_string(o.batch), m["train.crop"] = std::to_string(o.crop),
  m["train.seed"] = std::to_string(o.seed);
  m["train.preset"] = o.preset, m["train.average"] = io::number_text(o.average);
  m["train.augmentation"] = message(describe(o.augment), ", balanced ", o.balanced);
  m["train.best"] = o.best;
  m["train.thresholds"] =
      message(o.relative ? "absolute and relative" : "absolute", ", chosen by ", o.least_nuclei, " nuclei or more");
  m["train.precision"] = precision;
  m["data.train"] = message(data.name, ": ", nuclei_in(data.target), " nuclei");
  if (data.weights.size() > 1)
    for (const auto& [set, weight] : data.weights) m["data.weight." + set] = io::number_text(weight);
  m["data.validation"] = message(data.validation.size(), " images, ", nuclei_in(data.validation), " nuclei");
  if (!data.auxiliary.empty())
    m["data.auxiliary"] =
        message(data.auxiliary.size(), " images, ", nuclei_in(data.auxiliary), " nuclei, gamma ", o.gamma);
  m["data.licence"] = o.licence.empty() ? "not stated" : o.licence;
  std::string frozen;
  for (const std::string& block : o.freeze) frozen += (frozen.empty() ? "" : " ") + block;
  if (!frozen.empty()) m["train.frozen"] = frozen;
  if (!o.initial.empty()) m["train.initial"] = printable(std::filesystem::path(o.initial).filename().string());
  return m;
}

namespace {

constexpr const char* kDataHash = "data.hash.";
constexpr std::size_t kMostListed = 500, kMostNamed = 5;

std::uint64_t hash_of(const data::Sample& s) {
  ContentHash hash;
  hash.add(s.image.data(), s.image.size() * sizeof(float));
  for (const Point& p : s.points) hash.add(p.x), hash.add(p.y);
  for (const int c : s.classes) hash.add(static_cast<std::uint64_t>(c));
  hash.add(s.group), hash.add(s.set);
  s.areas.add_to(hash);
  for (const Point& p : s.uncounted.points) hash.add(p.x), hash.add(p.y);
  return hash.value();
}

/// "hash name", a line each: by name it can be told which image is another one.
std::string listed(const data::Dataset& set, const std::vector<std::uint64_t>& hashes) {
  std::string list;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const std::string name = std::filesystem::path(set[i].name).filename().string();
    list += hexadecimal(hashes[i], 8) + ' ' + (is_utf8(name) ? name : "?") + '\n';
  }
  return list;
}

std::multiset<std::pair<std::string, std::string>> images_in(const io::Metadata& metadata, const std::string& key) {
  std::multiset<std::pair<std::string, std::string>> images;
  const auto found = metadata.find(key);
  std::istringstream list(found == metadata.end() ? std::string() : found->second);
  for (std::string line; std::getline(list, line);)
    if (line.size() > 9) images.emplace(line.substr(9), line.substr(0, 8));
  return images;
}

/// "a.png, b.png and 3 more": those that are not in both.
std::string other_images(const io::Metadata& checkpoint, const io::Metadata& wanted, const std::string& key) {
  const auto before = images_in(checkpoint, key), now = images_in(wanted, key);
  std::vector<std::pair<std::string, std::string>> apart;
  std::set_symmetric_difference(before.begin(), before.end(), now.begin(), now.end(), std::back_inserter(apart));
  std::set<std::string> names;
  for (const auto& [name, hash] : apart) names.insert(name);
  if (before.empty() || now.empty() || names.empty()) return {};
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names)
    if (count++ < kMostNamed) text += (text.empty() ? " (" : ", ") + name;
  return text + (count > kMostNamed ? message(" and ", count - kMostNamed, " more)") : ")");
}

/// What a checkpoint of version 0.1 does not tell.
bool may_be_missing(const std::string& key) { return key.starts_with(kDataHash) || key == "train.kernels"; }
/// What weights and checkpoints tell of their moment, not of their run.
bool is_of_the_moment(const std::string& key) {
  return key.starts_with("peaks.") || key.starts_with("log.") || key.starts_with("validation.") ||
         key.starts_with(kDataImages) || key == "train.iteration";
}

}  // namespace

io::Metadata describe_data(Context<Cpu>& context, const TrainingData& data) {
  io::Metadata m;
  for (const auto& [use, set] :
       {std::pair{"train", &data.target}, {"validation", &data.validation}, {"auxiliary", &data.auxiliary}}) {
    if (set->empty()) continue;
    std::vector<std::uint64_t> hashes(set->size());
    context.run(static_cast<Index>(set->size()), [&, &images = *set](Index i, int) {
      hashes[static_cast<std::size_t>(i)] = hash_of(images[static_cast<std::size_t>(i)]);
    });
    ContentHash all;
    for (const std::uint64_t hash : hashes) all.add(hash);
    m[std::string(kDataHash) + use] = all.text();
    if (set->size() <= kMostListed) m[std::string(kDataImages) + use] = listed(*set, hashes);
  }
  return m;
}

void check_same_run(const io::Metadata& checkpoint, const io::Metadata& wanted, const std::string& where,
                    bool more_iterations) {
  std::string differences;
  for (const auto& [key, value] : wanted) {
    // The default warm-up follows from the iterations, and is the cosine's alone.
    const bool follows = key == "train.iterations" || key == "schedule.warmup";
    if ((follows && more_iterations) || key == "nucdet.version" || is_of_the_moment(key)) continue;
    const auto found = checkpoint.find(key);
    if (found == checkpoint.end() ? may_be_missing(key) : found->second == value) continue;
    if (key.starts_with(kDataHash)) {
      const std::string use = key.substr(std::string_view(kDataHash).size());
      differences += message("\n  the pixels, points or classes of data.", use, " are others than they were",
                             other_images(checkpoint, wanted, kDataImages + use));
      continue;
    }
    differences +=
        message("\n  ", key, " is '", found == checkpoint.end() ? "missing" : found->second, "', now '", value, "'");
  }
  for (const auto& [key, value] : checkpoint)
    if (!is_of_the_moment(key) && !wanted.contains(key))
      differences += message("\n  ", key, " is '", value, "', now missing");
  if (!differences.empty()) throw ArgumentError(message(where, ": cannot resume with other settings:", differences));
}

void check_same_on(Ranks& ranks, const io::Metadata& mine) {
  std::string text;
  for (const auto& [key, value] : mine) text += message(key, ": ", value, '\n');
  ContentHash hash;
  hash.add(text);
  const std::vector<std::uint64_t> hashes = gathered(ranks, hash.value());
  if (std::adjacent_find(hashes.begin(), hashes.end(), std::not_equal_to<>()) == hashes.end()) return;
  const auto texts = gathered_lists(ranks, std::span<const char>(text));
  for (std::size_t r = 1; r < texts.size(); ++r) {
    const auto [first, here] = std::mismatch(texts[0].begin(), texts[0].end(), texts[r].begin(), texts[r].end());
    if (first == texts[0].end() && here == texts[r].end()) continue;
    const auto line_of = [](const std::vector<char>& of, std::vector<char>::const_iterator at) {
      const std::string all(of.begin(), of.end());
      const std::size_t place = static_cast<std::size_t>(at - of.begin());
      const std::size_t begin = place == 0 ? 0 : all.rfind('\n', place - 1) + 1;
      return all.substr(begin, std::min<std::size_t>(all.find('\n', place) - begin, 100));
    };
    throw RanksError(message("train: rank ", r, " has other data, settings or another program than rank 0: '",
                             line_of(texts[r], here), "', on rank 0 '", line_of(texts[0], first), "'"));
  }
}

}  // namespace nucdet::models

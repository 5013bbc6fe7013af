#include <charconv>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "nucdet/core/context.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/models/dataset.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"
#include "pairs.hpp"
#include "threads.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;
using Entries = std::vector<io::ManifestEntry>;

constexpr const char* kSplits[] = {"train", "val", "test"};

/// "70,15,15" as shares of their sum, of train, val and test.
std::vector<double> shares_of(const std::string& text) {
  std::vector<double> shares;
  double sum = 0;
  for (std::size_t at = 0; at <= text.size() && !text.empty();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    double share = 0;
    const auto [stopped, error] = std::from_chars(text.data() + at, text.data() + end, share);
    const bool fits = error == std::errc() && stopped == text.data() + end && share >= 0 && share <= 1e6;
    if (!fits || shares.size() == std::size(kSplits))
      throw ArgumentError(message("manifest: --split is '", text, "', wanted two or three shares: 70,15,15"));
    shares.push_back(share), sum += share;
    at = end + 1;
  }
  if (!text.empty() && (shares.size() < 2 || !(sum > 0)))
    throw ArgumentError(message("manifest: --split is '", text, "', wanted two or three shares: 70,15,15"));
  for (double& share : shares) share /= sum;
  return shares;
}

/// What a path tells by a regular expression.
class PathRule {
 public:
  PathRule(const std::string& expression, const char* option) : option_(option), text_(expression) {
    if (expression.empty()) return;
    try {
      expression_.emplace(expression);
    } catch (const std::regex_error& error) {
      throw ArgumentError(
          message("manifest: ", option, " is '", expression, "', no regular expression: ", error.what()));
    }
    if (expression_->mark_count() == 0)
      throw ArgumentError(message("manifest: ", option, " is '", expression, "', wanted a group: (...)"));
  }
  std::string of(const std::string& path, const std::string& otherwise) const {
    if (!expression_) return otherwise;
    std::smatch found;
    if (!std::regex_search(path, found, *expression_) || found[1].length() == 0)
      throw ArgumentError(message("manifest: ", option_, " '", text_, "' finds nothing in '", path, "'"));
    return found[1];
  }

 private:
  const char* option_;
  std::string text_;
  std::optional<std::regex> expression_;
};

/// What reading a pair told.
struct Look {
  io::ManifestEntry entry;
  std::size_t outside = 0;
  std::vector<std::string> notes;
  std::string error;
};

/// As a training reads it.
void look_at(Look& look) {
  try {
    const models::AnnotatedPicture read = models::read_annotated(look.entry);
    const io::Picture& picture = read.picture;
    look.notes = read.nuclei.notes;
    look.notes.insert(look.notes.begin(), picture.notes.begin(), picture.notes.end());
    look.entry.width = picture.width, look.entry.height = picture.height;
    look.entry.nuclei = static_cast<Index>(read.nuclei.points.size());
    if (read.scaling.pixel_size.known()) look.entry.mpp = read.scaling.pixel_size.um();
    look.outside = data::points_outside(read.nuclei.points, picture.height, picture.width);
  } catch (const std::exception& error) { look.error = error.what(); }
}

/// Draws patients (images where there are none) into splits: one for each split, then where most is wanting.
void draw_splits(Entries& entries, const std::vector<double>& shares, std::uint64_t seed) {
  std::map<std::string, double> images;
  for (const io::ManifestEntry& e : entries) images[e.source()] += 1;
  std::vector<std::string> keys;
  for (const auto& [name, count] : images) keys.push_back(name);
  RandomStream random{seed, 0x5D17};
  shuffle(keys, random);
  std::vector<double> wanting, given(shares.size(), 0);
  for (const double share : shares) wanting.push_back(share * static_cast<double>(entries.size()));
  std::map<std::string, std::string> split;
  for (const std::string& name : keys) {
    std::size_t best = 0;
    const auto need = [&](std::size_t s) { return std::pair(given[s] == 0 && shares[s] > 0, wanting[s] - given[s]); };
    for (std::size_t s = 1; s < shares.size(); ++s)
      if (need(s) > need(best)) best = s;
    given[best] += images[name], split[name] = kSplits[best];
  }
  for (io::ManifestEntry& e : entries) e.split = split[e.source()];
}

void tell_files(const std::vector<fs::path>& files, const char* what) {
  if (files.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < files.size() && i < 5; ++i) names += (i == 0 ? "" : ", ") + files[i].string();
  note(message(files.size(), ' ', what, ": ", names,
               files.size() > 5 ? message(" and ", files.size() - 5, " more") : ""));
}

/// Everything that a training would trip over, or a user should know. Returns how many pairs could not be read.
int tell_findings(const Pairs& pairs, const std::vector<Look>& looks) {
  for (const std::string& one : pairs.notes) note(one);
  tell_files(pairs.images, "images without annotations are left out");
  tell_files(pairs.annotations, "annotations without an image");
  std::vector<fs::path> empty;
  int failed = 0;
  for (const Look& look : looks) {
    for (const std::string& one : look.notes) note(message(look.entry.annotations.string(), ": ", one));
    if (!look.error.empty()) complain(look.error), ++failed;
    if (look.outside > 0)
      note(message(look.entry.annotations.string(), ": ", look.outside, " of ", look.entry.nuclei,
                   " points lie outside of ", look.entry.image.string(), " (", look.entry.width, " x ",
                   look.entry.height, " pixels)"));
    if (look.error.empty() && look.entry.nuclei == 0) empty.push_back(look.entry.annotations);
  }
  tell_files(empty, "annotations have no nuclei");
  return failed;
}

struct Count {
  std::size_t images = 0;
  Index nuclei = 0;
  std::set<std::string> patients;
};

std::map<std::string, Count> counts_of(const Entries& entries) {
  std::map<std::string, Count> counts;
  for (const io::ManifestEntry& e : entries) {
    Count& count = counts[e.split];
    ++count.images, count.nuclei += e.nuclei;
    if (!e.patient.empty()) count.patients.insert(e.patient);
  }
  return counts;
}

void print(const ManifestOptions& o, const Entries& entries, int failed) {
  const std::map<std::string, Count> counts = counts_of(entries);
  Json splits = Json::object();
  for (const auto& [split, count] : counts) {
    splits[split] = {{"images", count.images}, {"patients", count.patients.size()}, {"nuclei", count.nuclei}};
    if (!o.json)
      std::cout << (split.empty() ? "all" : split) << '\t' << count.images << " images\t" << count.patients.size()
                << " patients\t" << count.nuclei << " nuclei\n";
  }
  if (o.json)
    print_json({{"out", o.out}, {"images", entries.size()}, {"failed", failed}, {"splits", splits}});
  else
    std::cout << printable(o.out) << '\t' << entries.size() << " images\n";
}

}  // namespace

int manifest(const ManifestOptions& o) {
  const std::vector<double> shares = shares_of(o.split);
  const PathRule patient(o.patient, "--patient"), organ(o.organ, "--organ");
  const Pairs pairs = pair_files(o.images, o.annotations, o.recursive);
  OutputGuard guard(o.overwrite);
  for (const Pair& pair : pairs.pairs) guard.input(pair.image), guard.input(pair.annotations);
  guard.new_output(o.out);
  std::vector<Look> looks(pairs.pairs.size());
  for (std::size_t i = 0; i < looks.size(); ++i) {  // before anything is read: an expression may find nothing
    const Pair& pair = pairs.pairs[i];
    io::ManifestEntry& entry = looks[i].entry;
    entry.image = pair.image, entry.annotations = pair.annotations;
    entry.patient = patient.of(pair.name, fs::path(pair.name).parent_path().generic_string());
    entry.organ = organ.of(pair.name, "");
  }
  Context<Cpu> context({.threads = o.threads > 0 ? o.threads : choose_threads().count});
  context.run(static_cast<Index>(looks.size()), [&](Index i, int) { look_at(looks[static_cast<std::size_t>(i)]); });
  Entries entries;
  for (const Look& look : looks)
    if (look.error.empty()) entries.push_back(look.entry);
  const int failed = tell_findings(pairs, looks);
  if (entries.empty())
    throw IoError(message(o.images, ": no image has annotations in ", o.annotations, " that can be read"));
  if (!shares.empty()) {
    draw_splits(entries, shares, o.seed);
    const std::map<std::string, Count> counts = counts_of(entries);
    for (std::size_t s = 0; s < shares.size(); ++s)
      if (shares[s] > 0 && !counts.contains(kSplits[s]))
        note(message("too few patients for a split '", kSplits[s], "'"));
  }
  std::set<std::string> patients;
  for (const io::ManifestEntry& e : entries) patients.insert(e.patient);
  if (patients.size() == 1 && !patients.begin()->empty())
    note(message("all images are of one patient, '", *patients.begin(), "'"));
  guard.check_again();
  io::write_manifest(o.out, entries);
  print(o, entries, failed);
  return failed > 0 ? kSomeInputsFailed : kDone;
}

}  // namespace nucdet::program

#include "run_records.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

namespace fs = std::filesystem;

namespace {

using State = ImageRecord::State;

std::vector<fs::path> reports_in(const std::string& run) {
  std::error_code none;
  if (!fs::is_directory(run, none)) return {run};
  std::vector<fs::path> reports;
  for (const fs::directory_entry& entry : fs::directory_iterator(run))
    if (entry.path().extension() == ".jsonl" && entry.is_regular_file(none)) reports.push_back(entry.path());
  if (reports.empty()) throw IoError(message(run, ": holds no reports (*.jsonl, of nucdet detect --report)"));
  std::sort(reports.begin(), reports.end());
  return reports;
}

/// All records, in the order in which they were begun: clocks of machines that write one run are about the same.
std::vector<ImageRecord> records_of(RunRecords& run) {
  std::vector<ImageRecord> all;
  for (const fs::path& report : run.reports) {
    std::size_t torn = 0;
    std::vector<ImageRecord> some = read_run_report(report, &torn);
    if (torn > 0)
      run.notes.push_back(message(report.string(), ": ", torn, torn == 1 ? " line is" : " lines are",
                                  " no record of an image (half written, or of another program)"));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.started < b.started; });
  return all;
}

void check_same(const ImageRecord& a, const ImageRecord& b) {
  if (a.input == b.input || a.image == b.image || a.input.empty() || b.input.empty()) return;
  throw IoError(message("two images are called '", a.row.image, "', ", a.image, " and ", b.image,
                        ": these are reports of two runs; take them one by one"));
}

/// What is said of an image by a later record in place of an earlier one.
void replace(ImageRecord& known, ImageRecord&& later) {
  check_same(known, later);
  if (later.state == State::skipped && known.state != State::failed && known.key == later.key) {
    known.corrected = later.corrected;
    return;
  }
  known = std::move(later);
}

/// Counts of each image by the classes of all.
void align_classes(RunRecords& run) {
  for (const ImageRecord& r : run.images)
    for (const std::string& name : r.classes)
      if (std::find(run.classes.begin(), run.classes.end(), name) == run.classes.end()) run.classes.push_back(name);
  for (ImageRecord& r : run.images) {
    if (r.classes.empty()) continue;
    std::vector<Index> counts(run.classes.size());
    for (std::size_t c = 0; c < r.classes.size(); ++c) {
      const auto at = std::find(run.classes.begin(), run.classes.end(), r.classes[c]) - run.classes.begin();
      counts[static_cast<std::size_t>(at)] = r.row.of_class[c];
    }
    r.classes = run.classes, r.row.of_class = std::move(counts);
  }
}

}  // namespace

RunRecords read_run(const std::vector<std::string>& runs) {
  RunRecords run;
  for (const std::string& one : runs)
    for (fs::path& report : reports_in(one)) run.reports.push_back(std::move(report));
  std::map<std::string, ImageRecord> images;
  for (ImageRecord& record : records_of(run)) {
    const auto known = images.find(record.row.image);
    if (known == images.end())
      images.emplace(record.row.image, std::move(record));
    else
      replace(known->second, std::move(record));
  }
  for (auto& [name, record] : images) run.images.push_back(std::move(record));
  align_classes(run);
  return run;
}

RunTotals totals_of(const RunRecords& run) {
  RunTotals t{.of_class = std::vector<Index>(run.classes.size())};
  std::set<std::string> hosts;
  for (const ImageRecord& r : run.images) {
    ++(r.state == State::failed ? t.failed : t.done);
    t.corrected += r.corrected ? 1 : 0;
    t.nuclei += r.row.nuclei, t.seconds += r.row.seconds, t.area_mm2 += r.row.area_mm2;
    t.nuclei_in_area += r.row.area_mm2 > 0 ? r.row.nuclei : 0;
    for (std::size_t c = 0; c < r.row.of_class.size(); ++c) t.of_class[c] += r.row.of_class[c];
    if (!r.host.empty()) hosts.insert(r.host);
    if (r.state != State::failed && !r.device.empty()) ++t.devices[r.device];
    if (r.started.empty()) continue;
    t.first = t.first.empty() ? r.started : std::min(t.first, r.started), t.last = std::max(t.last, r.started);
  }
  t.hosts.assign(hosts.begin(), hosts.end());
  return t;
}

std::vector<Input> missing_of(const RunRecords& run, const std::vector<Input>& wanted) {
  std::set<std::string> names, files;
  for (const ImageRecord& r : run.images) names.insert(r.row.image), files.insert(r.image);
  std::vector<Input> missing;
  for (const Input& input : wanted)
    if (!names.contains(input.name.generic_string()) &&
        !files.contains(fs::absolute(input.entry.image).lexically_normal().string()))
      missing.push_back(input);
  return missing;
}

}  // namespace nucdet::program

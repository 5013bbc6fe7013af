#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/summary_csv.hpp"
#include "nucdet/version.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"
#include "run_records.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

void write_summary(const fs::path& file, const RunRecords& run) {
  std::vector<io::SummaryRow> rows;
  for (const ImageRecord& r : run.images)
    if (r.state != ImageRecord::State::failed) rows.push_back(r.row);
  io::write_summary_csv(file, rows, ClassNames(run.classes));
}

Json json_of(const RunRecords& run, const std::vector<Input>& missing) {
  const RunTotals t = totals_of(run);
  Json classes = Json::object(), errors = Json::array(), lacking = Json::array(), reports = Json::array();
  for (std::size_t c = 0; c < run.classes.size(); ++c) classes[run.classes[c]] = t.of_class[c];
  for (const ImageRecord& r : run.images)
    if (r.state == ImageRecord::State::failed)
      errors.push_back({{"name", r.row.image}, {"image", r.image}, {"error", r.error}, {"host", r.host}});
  for (const Input& input : missing) lacking.push_back(input.entry.image.string());
  for (const fs::path& report : run.reports) reports.push_back(report.string());
  Json json = {{"format", "nucdet-run-1"},
               {"nucdet_version", NUCDET_VERSION_STRING},
               {"done", t.done},
               {"failed", t.failed},
               {"missing", missing.size()},
               {"corrected", t.corrected},
               {"nuclei", t.nuclei}};
  if (!run.classes.empty()) json["classes"] = classes;
  json["area_mm2"] = t.area_mm2 > 0 ? Json(t.area_mm2) : Json(nullptr);
  json["per_mm2"] = t.area_mm2 > 0 ? Json(t.per_mm2()) : Json(nullptr);
  json["seconds"] = t.seconds, json["first_started"] = t.first, json["last_started"] = t.last;
  json["hosts"] = t.hosts, json["devices"] = t.devices;
  json["errors"] = std::move(errors), json["missing_images"] = std::move(lacking), json["reports"] = std::move(reports);
  return json;
}

/// The first of many on lines of their own.
template <class Items, class Text>
void tell(const std::string& what, const Items& items, const Text& text) {
  if (items.empty()) return;
  constexpr std::size_t kMostShown = 10;
  std::string all = what;
  for (std::size_t i = 0; i < std::min(items.size(), kMostShown); ++i) all += "\n  " + text(items[i]);
  if (items.size() > kMostShown) all += message("\n  and ", items.size() - kMostShown, " more: see run.json");
  complain(all);
}

void tell_problems(const RunRecords& run, const std::vector<Input>& missing) {
  std::vector<ImageRecord> failed;
  for (const ImageRecord& r : run.images)
    if (r.state == ImageRecord::State::failed) failed.push_back(r);
  tell(message(failed.size(), failed.size() == 1 ? " image" : " images", " failed:"), failed,
       [](const ImageRecord& r) { return printable(r.error); });
  tell(message(missing.size(), missing.size() == 1 ? " image is" : " images are", " missing:"), missing,
       [](const Input& i) { return printable(i.entry.image.string()); });
}

/// Where several devices computed a run's images: their scores differ in last digits.
void tell_devices(const RunTotals& totals) {
  if (totals.devices.size() < 2) return;
  std::string all = "images were computed by several devices:";
  for (const auto& [device, images] : totals.devices) all += message("\n  ", printable(device), ": ", images);
  note(all);
}

}  // namespace

int merge(const MergeOptions& o) {
  const RunRecords run = read_run(o.runs);
  std::vector<std::string> notes = run.notes;
  std::vector<Input> missing;
  if (!o.list.empty()) missing = missing_of(run, inputs_of(std::vector{o.list}, o.split, o.recursive, &notes));
  for (const std::string& one : notes) note(one);
  const fs::path summary = fs::path(o.out) / "summary.csv", totals = fs::path(o.out) / "run.json";
  OutputGuard guard;
  for (const fs::path& report : run.reports) guard.input(report);
  guard.input(file_given(o.list)), guard.folder(o.out);
  guard.output(summary, io::Product::counts), guard.output(totals, io::Product::counts);
  io::make_folder(o.out);
  const Json json = json_of(run, missing);
  io::AtomicFiles together;
  write_summary(summary, run);
  io::write_atomically(totals, json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
  together.commit();
  tell_problems(run, missing);
  const RunTotals t = totals_of(run);
  tell_devices(t);
  if (o.json)
    print_json(json);
  else
    std::cout << printable(summary.string()) << '\t' << t.done << " images\t" << t.nuclei << " nuclei\n";
  return t.failed + missing.size() > 0 ? kSomeInputsFailed : kDone;
}

}  // namespace nucdet::program

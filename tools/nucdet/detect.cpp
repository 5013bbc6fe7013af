#include <string>
#include <vector>

#include "nucdet/io/atomic_file.hpp"

#include "cohort.hpp"
#include "commands.hpp"
#include "default_model.hpp"
#include "detect_cohort.hpp"
#include "detect_image.hpp"
#include "detect_results.hpp"
#include "device.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "interrupt.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;

void check(const DetectOptions& o) {
  models::check(o.pixel_size);
  if (!o.summary.empty() && o.skip_existing)
    throw ArgumentError(
        "--summary is of all images, --skip-existing passes over some: give one of them (of what --report "
        "tells, `nucdet merge` makes a summary)");
  if (!o.offset.empty() && !o.geojson && !o.store)
    throw ArgumentError("--offset is for GeoJSON and the store: give --geojson or --store");
}

void check_files(const DetectOptions& o, const std::vector<Input>& inputs) {
  OutputGuard guard(o.overwrite);
  guard.input(o.model), guard.input(o.areas);
  if (o.tissue != "auto" && o.tissue != "all") guard.input(o.tissue);
  for (const std::string& given : o.inputs) guard.input(file_given(given));
  for (const Input& i : inputs) guard.input(i.entry.image), guard.input(i.entry.annotations);
  guard.folder(o.out);
  for (const Input& i : inputs) {
    if (!o.skip_existing) guard_results(guard, o, i);
    // Else what is there may be done: it is looked at when the results to make are known.
    for (const fs::path& file : result_files(o, i))
      if (o.skip_existing) guard.own_output(file);
  }
  if (!o.summary.empty()) guard.output(o.summary, io::Product::counts);
  std::error_code none;
  if (fs::is_empty(o.report, none))
    guard.own_output(o.report);  // of a run that was killed early
  else
    guard.output(o.report, io::Product::log);
}

/// Leaves the images of this call's shard, which may be none.
Shard take_shard(const DetectOptions& o, std::vector<Input>& inputs) {
  const Shard shard = shard_of(o, inputs.size());
  if (!shard.whole() && !o.summary.empty())
    throw ArgumentError(message("--summary is of all images, shard ", shard.text(),
                                " is a part of them: give --report, and `nucdet merge` makes the summary"));
  const std::size_t all = inputs.size();
  keep_shard(inputs, shard);
  if (!shard.whole() && !o.quiet) note(message("shard ", shard.text(), ": ", inputs.size(), " of ", all, " images"));
  return shard;
}

}  // namespace

int detect(const DetectOptions& asked) {
  DetectOptions o = asked;
  check(o);
  Interrupt interrupt(Interrupt::Ending::after_piece);
  if (o.model.empty()) o.model = default_model();
  std::vector<std::string> notes;
  std::vector<Input> inputs = inputs_of(o.inputs, o.split, o.recursive, &notes);
  if (!o.quiet)
    for (const std::string& one : notes) note(one);
  if (!o.region.empty() && inputs.size() > 1)
    throw ArgumentError(message("--region is for one image, and these are ", inputs.size()));
  const Shard shard = take_shard(o, inputs);  // before slides are opened: of those there may be a thousand
  if (!o.page) mark_slides(inputs);
  check_files(o, inputs);
  if (inputs.empty()) return kDone;
  for (const Input& i : inputs) io::make_folder(i.result(o.out, "").parent_path());
  if (!o.report.empty()) io::make_folder(fs::absolute(o.report).parent_path());
  const ChosenDevice device = choose_device(o.device);
  return on_device(device, o.device, {}, o.quiet,
                   [&](auto& context) { return CohortRun(context, device, o, inputs, shard, interrupt)(); });
}

}  // namespace nucdet::program

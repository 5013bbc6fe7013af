#pragma once
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/summary_csv.hpp"

#include "cohort.hpp"
#include "commands.hpp"
#include "detect_image.hpp"
#include "detect_results.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "inputs.hpp"
#include "interrupt.hpp"
#include "progress.hpp"

/// `detect` over many images: which are to be looked at, in which order, and what becomes of those that fail.
namespace nucdet::program {

/// The results of images that are looked at, in place of what is there.
struct Job {
  std::size_t number;  ///< of the image
  ResultKey key;
  bool again = false;  ///< it was left to another process before
};

/// What became of a job.
enum class Outcome { done, failed, left, put_off };

/// One call of the command.
template <class Device>
class CohortRun {
 public:
  CohortRun(Context<Device>& context, const ChosenDevice& device, const DetectOptions& o,
            const std::vector<Input>& inputs, const Shard& shard, Interrupt& interrupt)
      : device_(device),
        o_(o),
        inputs_(inputs),
        interrupt_(interrupt),
        alone_(inputs.size() == 1 && shard.whole()),
        detect_(context, device.name, o, inputs, interrupt),
        recorder_(o, shard, detect_.settings()) {}

  /// The exit code.
  int operator()();

 private:
  std::vector<Job> jobs();
  /// What may be read while the k-th is looked at.
  std::optional<std::size_t> next_picture(const std::vector<Job>& todo, std::size_t k) const {
    if (k + 1 == todo.size() || inputs_[todo[k + 1].number].slide) return std::nullopt;
    return todo[k + 1].number;
  }
  bool attempt(const Job& job, std::optional<std::size_t> next, const ImageWatch& watch);
  Outcome work_on(std::vector<Job>& todo, std::size_t k, const ImageWatch& watch);
  void write_summary() const {
    if (o_.summary.empty()) return;
    OutputGuard().output(o_.summary, io::Product::counts);  // it may have been made meanwhile
    io::write_summary_csv(o_.summary, summary_, detect_.settings().classes);
  }

  const ChosenDevice& device_;
  const DetectOptions& o_;
  const std::vector<Input>& inputs_;
  Interrupt& interrupt_;
  bool alone_;  ///< one image, whose failure is the call's
  ImageDetector<Device> detect_;
  RunRecorder recorder_;
  std::vector<io::SummaryRow> summary_{};
};

/// With --skip-existing: those whose results are not there. A cohort goes on around what somebody has corrected in it.
template <class Device>
std::vector<Job> CohortRun<Device>::jobs() {
  std::vector<Job> todo;
  std::size_t done = 0, corrected = 0;
  OutputGuard guard(o_.overwrite);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    ResultKey key;
    try {
      key = key_of(o_, input, detect_.settings(), device_);
    } catch (const IoError&) {}  // an image that cannot be read is named in its turn
    const bool is_there = o_.skip_existing && is_done(o_, input, key.results);
    const bool kept = o_.skip_existing && !o_.overwrite && !is_there && is_worked_on(o_, input);
    done += is_there ? 1 : 0, corrected += kept ? 1 : 0;
    if (is_there || kept) {
      recorder_.skipped(input, key, kept);
      continue;
    }
    if (o_.skip_existing) guard_results(guard, o_, input);  // of all others it was done before
    todo.push_back({i, std::move(key)});
  }
  if (done > 0 && !o_.quiet) note(message(done, " of ", inputs_.size(), " images have their results already"));
  if (corrected > 0)
    note(message(corrected, " of ", inputs_.size(), " images keep results that somebody has worked on"));
  return todo;
}

/// Looks at an image, unless another process does or has done so meanwhile: false if it must be tried again.
template <class Device>
bool CohortRun<Device>::attempt(const Job& job, std::optional<std::size_t> next, const ImageWatch& watch) {
  const Input& input = inputs_[job.number];
  const std::optional<io::FileLock> lock = lock_results(o_, input);
  if (!lock) return false;
  if (o_.skip_existing && is_done(o_, input, job.key.results)) {
    recorder_.skipped(input, job.key);
    return true;
  }
  io::SummaryRow row = detect_(job.number, job.key, next, watch);
  recorder_.done(input, job.key, row);
  if (!o_.summary.empty()) summary_.push_back(std::move(row));
  return true;
}

/// What becomes of the k-th. One that another process works on comes once more at the end: that one may be killed
/// before it is done.
template <class Device>
Outcome CohortRun<Device>::work_on(std::vector<Job>& todo, std::size_t k, const ImageWatch& watch) {
  const Job job = todo[k];
  const std::filesystem::path& image = inputs_[job.number].entry.image;
  recorder_.begin();
  try {
    if (attempt(job, next_picture(todo, k), watch)) return Outcome::done;
    if (alone_) throw IoError(message(image.string(), ": another run of nucdet works on it: wait for its end"));
  } catch (...) {
    const std::optional<std::string> failure = failure_of(std::current_exception(), image);
    if (!failure) throw;
    recorder_.failed(inputs_[job.number], job.key, *failure);
    if (alone_) throw;
    complain(*failure);
    return Outcome::failed;
  }
  note(message(image.string(), ": another run of nucdet works on it, and it is left to that one"));
  if (job.again) return Outcome::left;
  todo.push_back({job.number, job.key, true});
  return Outcome::put_off;
}

template <class Device>
int CohortRun<Device>::operator()() {
  std::vector<Job> todo = jobs();
  ImageProgress progress(static_cast<std::int64_t>(todo.size()), o_.quiet);
  const auto tiles = [&](Index done, Index all) {
    interrupt_.poll();
    progress.tiles(done, all);
  };
  const ImageWatch watch{{.stop = interrupt_.token(), .progress = tiles},
                         [&](const SlideState& state) { progress.slide(state); },
                         [&] { interrupt_.poll(); }};
  std::size_t failed = 0, left = 0;
  for (std::size_t k = 0; k < todo.size(); ++k) {
    interrupt_.poll();
    if (watch.stop.stop_requested()) throw Stopped(message("stopped after ", k, " of ", todo.size(), " images"));
    if (interrupt_.finish_requested()) {
      complain(message("stopped on request after ", k, " of ", todo.size(), " images"));
      write_summary();
      return kFinishedEarly;
    }
    progress.begin(inputs_[todo[k].number].entry.image.filename().string());
    Outcome outcome = Outcome::done;
    try {
      outcome = work_on(todo, k, watch);
    } catch (const Paused& paused) {
      complain(paused.what());
      write_summary();
      return kFinishedEarly;
    }
    failed += outcome == Outcome::failed ? 1 : 0, left += outcome == Outcome::left ? 1 : 0;
    if (outcome == Outcome::done || outcome == Outcome::failed) progress.end();
    if (o_.most_errors && failed > *o_.most_errors) {
      complain(message("ended after ", k + 1, " of ", todo.size(), " images: ", failed, " have failed (--max-errors ",
                       *o_.most_errors, ")"));
      break;
    }
  }
  interrupt_.poll();
  if (watch.stop.stop_requested()) throw Stopped("stopped after the last image");
  write_summary();
  if (left > 0) note(message(left, " images were left to other runs of nucdet"));
  return failed > 0 ? kSomeInputsFailed : kDone;
}

}  // namespace nucdet::program

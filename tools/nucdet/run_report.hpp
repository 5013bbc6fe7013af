#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/io/summary_csv.hpp"

#include "shards.hpp"

/// The report of a run: a line of JSON for each image, written when the image is done.
namespace nucdet::program {

/// A line of a report.
struct ImageRecord {
  enum class State {
    done,
    failed,
    skipped,  ///< its results were there already
  };

  State state = State::done;
  std::string image{};  ///< its file, from the root
  std::string input{};  ///< the hash by which its content is known again
  std::string key{};    ///< that of its results
  /// row.image is what the results are called: an image is known by it throughout a run. Seconds are 0 where they are
  /// not known.
  io::SummaryRow row{};
  std::vector<std::string> classes{};  ///< as many as row.of_class, or more where nothing was counted
  std::string error{};                 ///< of one that failed
  bool corrected = false;              ///< somebody has worked on the results since they were written
  std::string started{};               ///< UTC: 2025-01-31T23:59:59.123Z
  std::string host{}, version{}, shard{};
  std::string device{};              ///< that computed its results, or failed to; empty where nobody says it
  std::vector<std::string> files{};  ///< of the results, relative to the report's folder; as read: to `folder`
  std::filesystem::path folder{};    ///< of the report that it was read from
};

std::string_view name_of(ImageRecord::State state);

/// The line, with its end.
std::string line_of(const ImageRecord& record);
/// Nothing for what is no such line: half of one, or another program's.
std::optional<ImageRecord> record_of_line(std::string_view line);

/// The records of a report in their order. A line that a killed run left half written is passed over, and counted in
/// `torn` where that is given. Throws IoError if the file cannot be read.
std::vector<ImageRecord> read_run_report(const std::filesystem::path& file, std::size_t* torn = nullptr);

/// Now, as ImageRecord::started.
std::string utc_now();

/// Appends to a report; several processes may append to one. An empty path: to none.
class RunReport {
 public:
  /// Throws IoError if the file cannot be opened or read.
  explicit RunReport(std::filesystem::path file);
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;
  ~RunReport();

  bool wanted() const { return descriptor_ >= 0; }
  /// Whether the report says already that this image has these results.
  bool knows(const std::string& name, const std::string& key) const;
  /// A file as the report names it.
  std::string named(const std::filesystem::path& file) const;
  /// Writes the line by one call, so that no other can come between, and keeps it on the disk. Throws IoError.
  void add(const ImageRecord& record);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::vector<std::string> known_{};  ///< names and keys, sorted
};

}  // namespace nucdet::program

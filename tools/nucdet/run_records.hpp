#pragma once
#include <map>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "run_report.hpp"

/// What the reports of all tasks of a run say together.
namespace nucdet::program {

struct RunRecords {
  std::vector<ImageRecord> images{};   ///< one each, in the order of their names
  std::vector<std::string> classes{};  ///< of all; as many as counts of an image that has any
  std::vector<std::filesystem::path> reports{};
  std::vector<std::string> notes{};  ///< what was passed over
};

/// Reads reports, and the *.jsonl of folders. Of each image the record counts that was begun last; of one that was
/// passed over since its results were there, that of the call that made them. Throws IoError where there is no report,
/// and where two images are called alike: they are of two runs.
RunRecords read_run(const std::vector<std::string>& runs);

/// Numbers of a whole run.
struct RunTotals {
  std::size_t done = 0, failed = 0, corrected = 0;
  Index nuclei = 0;
  double area_mm2 = 0, seconds = 0;
  Index nuclei_in_area = 0;                      ///< of images whose area is known
  std::vector<Index> of_class{};                 ///< as many as classes
  std::vector<std::string> hosts{};              ///< sorted
  std::map<std::string, std::size_t> devices{};  ///< images that each one computed, where it is known
  std::string first{}, last{};                   ///< the times when images were begun

  double per_mm2() const { return area_mm2 > 0 ? static_cast<double>(nuclei_in_area) / area_mm2 : 0; }
};
RunTotals totals_of(const RunRecords& run);

/// Those that no record tells of, by their names or their files.
std::vector<Input> missing_of(const RunRecords& run, const std::vector<Input>& wanted);

}  // namespace nucdet::program

#include "nucdet/io/class_report.hpp"

#include "nucdet/core/error.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/csv.hpp"

#include "csv_table.hpp"
#include "marks.hpp"

namespace nucdet::io {

namespace {

void check_report(const ClassReport& report) {
  if (report.names.size() != report.score.classes())
    throw ArgumentError(
        message("ClassReport: ", report.names.size(), " names for the scores of ", report.score.classes(), " classes"));
}

}  // namespace

void write_class_scores(const std::filesystem::path& path, const ClassReport& report) {
  check_report(report);
  std::string text = std::string(detail::kClassScoresHeader) + '\n';
  for (int c = 0; c < report.names.size(); ++c) {
    const metrics::Score s = report.score.of(c);
    text += csv_field(report.names[c]);
    for (const Index count : {s.hits + s.misses, s.hits + s.false_alarms, s.hits})
      text += ',', detail::append_number(text, count);
    for (const double share : {s.precision(), s.recall(), s.f1()}) text += ',', detail::append_number(text, share);
    text += '\n';
  }
  write_atomically(path, text);
}

void write_confusion(const std::filesystem::path& path, const ClassReport& report) {
  check_report(report);
  std::string text = "truth";
  for (const std::string& name : report.names.all()) text += ',' + csv_field(name);
  text += ",unknown,missed\n";
  for (int truth = 0; truth <= report.score.none(); ++truth) {
    text += truth == report.score.none()      ? "none"
            : truth == report.score.unknown() ? "unknown"
                                              : csv_field(report.names[truth]);
    for (int found = 0; found <= report.score.none(); ++found)
      text += ',', detail::append_number(text, report.score.count(truth, found));
    text += '\n';
  }
  write_atomically(path, text);
}

}  // namespace nucdet::io

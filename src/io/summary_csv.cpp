#include "nucdet/io/summary_csv.hpp"

#include <cmath>

#include "nucdet/io/csv.hpp"

#include "csv_table.hpp"
#include "marks.hpp"
#include "text_sink.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

void append_value(std::string& text, double value) {
  text += ',';
  if (std::isfinite(value) && value > 0) append_number(text, static_cast<float>(value));
}

}  // namespace

void write_summary_csv(const std::filesystem::path& path, std::span<const SummaryRow> rows, const ClassNames& classes) {
  TextSink sink(path);
  sink.text() += kSummaryHeader;
  for (const std::string& name : classes.all()) sink.text() += ',' + csv_field("class: " + name);
  sink.text() += ",seconds\n";
  for (const SummaryRow& row : rows) {
    const auto named = static_cast<std::size_t>(classes.size());
    if (!row.of_class.empty() && row.of_class.size() != named)
      throw ArgumentError(message("write_summary_csv: ", row.image, " has counts of ", row.of_class.size(),
                                  " classes, wanted ", named));
    std::string& text = sink.text();
    text += csv_field(row.image) + ',' + std::to_string(row.width) + ',' + std::to_string(row.height);
    append_value(text, row.pixel_size.x), append_value(text, row.pixel_size.y);
    const double whole = static_cast<double>(row.width) * row.pixel_size.x * static_cast<double>(row.height) *
                         row.pixel_size.y * 1e-6,
                 area = row.area_mm2 > 0 ? row.area_mm2 : whole;
    append_value(text, area);
    text += ',' + std::to_string(row.nuclei) + ',';
    if (area > 0) append_number(text, static_cast<float>(static_cast<double>(row.nuclei) / area));
    for (std::size_t c = 0; c < named; ++c) text += ',' + (row.of_class.empty() ? "" : std::to_string(row.of_class[c]));
    append_value(text, row.seconds);
    text += '\n';
  }
  sink.commit();
}

}  // namespace nucdet::io

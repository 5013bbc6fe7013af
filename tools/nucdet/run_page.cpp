#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/thumbnail.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "page_text.hpp"
#include "progress.hpp"
#include "run_records.hpp"

namespace nucdet::program {

namespace {

namespace fs = std::filesystem;
using State = ImageRecord::State;

/// What a small picture is made of: the first that is there.
constexpr const char* kDrawings[] = {".overview.png", ".density.png", ".overlay.png"};

/// 12345.6 as "12,346"; up to `digits` behind the point where the number is small.
std::string figure(double value, int digits = 0) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr;
  std::string all(text, end);
  const std::size_t point = std::min(all.find('.'), all.size());
  for (std::size_t at = point; at > 3; at -= 3) all.insert(at - 3, 1, ',');
  return all;
}

std::string cell(const std::string& shown, const std::string& sorted_by) {
  return "<td class=\"n\" data-v=\"" + sorted_by + "\">" + shown + "</td>";
}
std::string number_cell(double value, bool known, int digits = 0) {
  return known ? cell(figure(value, digits), message(value)) : cell("", "");
}

/// "2025-01-31T23:59:59.123Z" as people write it, to the minute.
std::string minute_of(std::string time) {
  time.resize(std::min<std::size_t>(time.size(), 16));
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time;
}

double density_of(const io::SummaryRow& row) {
  return row.area_mm2 > 0 ? static_cast<double>(row.nuclei) / row.area_mm2 : 0;
}

class Page {
 public:
  Page(const RunPageOptions& o, const RunRecords& run) : o_(o), run_(run), totals_(totals_of(run)) {
    for (const ImageRecord& r : run.images) most_ = std::max(most_, density_of(r.row));
  }

  std::string text() {
    text_ = message("<!-- ", io::kMadeBy, " -->\n<!DOCTYPE html>\n<html lang=\"en\">\n");
    head(), totals(), table();
    text_ += message("<script>", kPageScript, "</script>\n</body>\n</html>\n");
    return std::move(text_);
  }

 private:
  std::string title() const { return html_text(o_.title.empty() ? "Nuclei in a run's images" : o_.title); }
  void head();
  void totals();
  void total(const std::string& what, const std::string& value, bool bad = false) {
    text_ += "<div" + std::string(bad ? " class=\"bad\"" : "") + "><dt>" + html_text(what) + "</dt><dd>" + value +
             "</dd></div>\n";
  }
  void table();
  void row(const ImageRecord& r);
  std::string picture(const ImageRecord& r) const;
  /// Whether a column tells them apart.
  bool several_devices() const { return totals_.devices.size() > 1; }
  std::string links(const ImageRecord& r) const;
  /// A result's file as the page links to it.
  std::string link(const fs::path& file) const {
    std::error_code none;
    const fs::path here = fs::weakly_canonical(fs::absolute(o_.out, none), none).parent_path();
    return link_text(fs::weakly_canonical(fs::absolute(file, none), none).lexically_relative(here).generic_string());
  }

  const RunPageOptions& o_;
  const RunRecords& run_;
  RunTotals totals_;
  double most_ = 0;
  std::string text_{};
};

void Page::head() {
  text_ +=
      "<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  // Nothing is loaded from anywhere.
  text_ +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'\">\n";
  text_ += message("<title>", title(), "</title>\n<style>", kPageStyle, "</style>\n</head>\n<body>\n<h1>", title(),
                   "</h1>\n<p class=\"about\">", html_text(io::kMadeBy));
  if (!totals_.first.empty())
    text_ += message(", ", html_text(minute_of(totals_.first)), " to ", html_text(minute_of(totals_.last)), " UTC");
  if (!totals_.hosts.empty())
    text_ += message(", on ", totals_.hosts.size(), totals_.hosts.size() == 1 ? " machine" : " machines");
  const char* before = ", computed by ";
  for (const auto& [device, images] : totals_.devices) {
    text_ += before + html_text(device);
    if (several_devices()) text_ += message(" (", images, images == 1 ? " image)" : " images)");
    before = " \xc2\xb7 ";
  }
  text_ += "</p>\n";
}

void Page::totals() {
  text_ += "<dl>\n";
  total("images", figure(static_cast<double>(totals_.done)));
  if (totals_.failed > 0) total("failed", figure(static_cast<double>(totals_.failed)), true);
  if (totals_.corrected > 0) total("corrected by hand", figure(static_cast<double>(totals_.corrected)));
  total("nuclei", figure(static_cast<double>(totals_.nuclei)));
  for (std::size_t c = 0; c < run_.classes.size(); ++c)
    total(run_.classes[c], figure(static_cast<double>(totals_.of_class[c])));
  if (totals_.area_mm2 > 0)
    total("mm\xc2\xb2", figure(totals_.area_mm2, totals_.area_mm2 < 1     ? 4
                                                 : totals_.area_mm2 < 100 ? 2
                                                                          : 0)),
        total("nuclei per mm\xc2\xb2", figure(totals_.per_mm2()));
  if (totals_.seconds > 0) total("time of all tasks", html_text(duration_text(totals_.seconds)));
  text_ += "</dl>\n";
}

void Page::table() {
  text_ +=
      "<div class=\"find\" hidden><label for=\"find\">Find</label><input id=\"find\" type=\"search\" "
      "autocomplete=\"off\" placeholder=\"name, error, ...\"><output aria-live=\"polite\"></output></div>\n"
      "<div class=\"wide\">\n<table>\n<thead><tr>";
  const auto column = [&](const std::string& name, const char* kind) {
    text_ += "<th scope=\"col\"" + (*kind == '\0' ? std::string() : message(" class=\"", kind, '"')) + ">" +
             html_text(name) + "</th>";
  };
  if (o_.thumbnail > 0) column("", "picture");
  column("image", ""), column("nuclei", "n"), column("per mm\xc2\xb2", "n");
  for (const std::string& name : run_.classes) column(name, "n");
  column("mm\xc2\xb2", "n"), column("seconds", "n");
  if (several_devices()) column("device", "");
  column("state", "");
  text_ += "</tr></thead>\n<tbody>\n";
  for (const ImageRecord& r : run_.images) row(r);
  text_ += "</tbody>\n</table>\n</div>\n";
}

std::string Page::picture(const ImageRecord& r) const {
  for (const char* ending : kDrawings)
    for (const std::string& name : r.files) {
      const fs::path file = r.folder / name;
      std::error_code none;
      if (!name.ends_with(ending) || !fs::is_regular_file(file, none)) continue;
      try {
        return message("<a href=\"", link(file), "\"><img alt=\"", html_text(r.row.image),
                       "\" src=\"data:image/jpeg;base64,",
                       base64(io::thumbnail_jpeg(io::read_picture(file), o_.thumbnail)), "\"></a>");
      } catch (const IoError& error) { note(error.what()); }  // the page is good without it
    }
  return {};
}

std::string Page::links(const ImageRecord& r) const {
  std::string all;
  for (const std::string& name : r.files) {
    const fs::path file = r.folder / name;
    std::error_code none;
    if (!fs::is_regular_file(file, none)) continue;
    const std::string stem = fs::path(r.row.image).filename().string(), base = file.filename().string();
    const std::string shown = base.starts_with(stem + '.') ? base.substr(stem.size() + 1) : base;
    all += message(all.empty() ? "" : " \xc2\xb7 ", "<a href=\"", link(file), "\">", html_text(shown), "</a>");
  }
  return all.empty() ? all : "<small>" + all + "</small>";
}

void Page::row(const ImageRecord& r) {
  const bool failed = r.state == State::failed, area = !failed && r.row.area_mm2 > 0;
  text_ += failed ? "<tr class=\"failed\">" : "<tr>";
  if (o_.thumbnail > 0) text_ += "<td class=\"picture\">" + picture(r) + "</td>";
  text_ += "<th scope=\"row\">" + html_text(r.row.image) + links(r) + "</th>";
  text_ += number_cell(static_cast<double>(r.row.nuclei), !failed);
  const double density = density_of(r.row);
  const std::string bar = message(
      "<span class=\"bar\" style=\"width:", static_cast<int>(100 * density / std::max(most_, 1e-9)), "%\"></span>");
  text_ += area ? cell(figure(density) + bar, message(density)) : cell("", "");
  for (std::size_t c = 0; c < run_.classes.size(); ++c) {
    const bool known = !failed && c < r.row.of_class.size();
    text_ += number_cell(known ? static_cast<double>(r.row.of_class[c]) : 0, known);
  }
  text_ += number_cell(r.row.area_mm2, area, r.row.area_mm2 < 0.1 ? 4 : 2) +
           number_cell(r.row.seconds, r.row.seconds > 0, 1);
  if (several_devices()) text_ += "<td>" + html_text(r.device) + "</td>";
  const std::string state = failed        ? "<span class=\"error\">failed: " + html_text(r.error) + "</span>"
                            : r.corrected ? "corrected by hand"
                                          : "done";
  text_ += "<td>" + state + "</td></tr>\n";
}

}  // namespace

int run_page(const RunPageOptions& o) {
  const RunRecords run = read_run(o.runs);
  for (const std::string& one : run.notes) note(one);
  OutputGuard guard;
  for (const fs::path& report : run.reports) guard.input(report);
  for (const ImageRecord& r : run.images) guard.input(r.image);
  guard.output(o.out, io::Product::report);
  io::write_atomically(o.out, Page(o, run).text());
  std::cout << printable(o.out) << '\t' << run.images.size() << " images\n";
  return kDone;
}

}  // namespace nucdet::program

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "nucdet/core/ascii.hpp"
#include "nucdet/io/csv.hpp"

#include "csv_table.hpp"
#include "foreign_formats.hpp"
#include "text_encoding.hpp"

namespace nucdet::io {

using namespace detail;

namespace {

/// A pair of columns that hold coordinates, by plain_name.
struct Coordinates {
  const char *x, *y;
  bool um = false;
  double shift = 0;  // to the centre of the top left pixel
};

// The first pair that a header has is taken. QuPath measures from the corner of the top left pixel; axis-0 and
// centroid-0 (napari, scikit-image) are rows.
constexpr std::array<Coordinates, 20> kCoordinates{{{"x", "y"},
                                                    {"x px", "y px"},
                                                    {"x pixel", "y pixel"},
                                                    {"x pixels", "y pixels"},
                                                    {"x coord", "y coord"},
                                                    {"x coordinate", "y coordinate"},
                                                    {"col", "row"},
                                                    {"column", "row"},
                                                    {"centroid x", "centroid y"},
                                                    {"x centroid", "y centroid"},
                                                    {"centroid x px", "centroid y px", false, -0.5},
                                                    {"centroid x um", "centroid y um", true, -0.5},
                                                    {"centroid 1", "centroid 0"},
                                                    {"axis 2", "axis 1"},
                                                    {"axis 1", "axis 0"},
                                                    {"center x", "center y"},
                                                    {"centre x", "centre y"},
                                                    {"location center x", "location center y"},
                                                    {"x um", "y um", true, -0.5},
                                                    {"x microns", "y microns", true}}};

/// What is known of a table's columns before its first point is read.
struct Columns {
  std::size_t x = 0, y = 1, classes = Header::kNone, image = Header::kNone, object = Header::kNone;
  std::size_t width = Header::kNone, height = Header::kNone;  // of boxes, whose top left corner x and y are then
  std::size_t area = Header::kNone;  // ImageJ's: its centroids of areas are measured as QuPath's are
  double factor = 1, shift = 0;
  std::string x_name = "x", y_name = "y";
};

class PointTable {
 public:
  PointTable(std::string_view text, std::string_view where, const AnnotationOptions& options)
      : where_(where), options_(options), table_(text, where, TableParser::Comments::anywhere) {}

  Annotations read() {
    CsvRecord record;
    if (!table_.next(record))
      throw IoError(message(where_, ": is empty, wanted a header with the columns x and y and a line for each point"));
    const bool headless = !settle_header(record);
    tab_behind_ = record.fields.size() == header_->count() + 1;
    settle_columns(headless);
    if (headless) point(record);
    while (table_.next(record)) point(record);
    finish();
    return std::move(found_);
  }

 private:
  /// False if the table begins with its points.
  bool settle_header(const CsvRecord& record) {
    double number = 0;
    const bool numbers =
        record.fields.size() >= 2 && parse_decimal(record.fields[0], number) && parse_decimal(record.fields[1], number);
    if (!numbers) {
      header_.emplace(record, where_);
      return true;
    }
    CsvRecord assumed{record.line, {"x", "y"}};
    assumed.fields.resize(std::max<std::size_t>(2, record.fields.size()), "-");
    TableParser comment(table_.comment(), where_, TableParser::Comments::above);
    CsvRecord above;
    const bool named = comment.next(above) && above.fields.size() == record.fields.size();
    if (named) header_.emplace(above, where_);
    if (named && std::any_of(kCoordinates.begin(), kCoordinates.end(), [&](const Coordinates& c) { return has(c); }))
      return false;
    header_.emplace(assumed, where_);
    found_.notes.push_back(record.fields.size() == 2 ? "no header: the columns were taken for x and y"
                                                     : message("no header: the first two of ", record.fields.size(),
                                                               " columns were taken for x and y"));
    return false;
  }
  bool has(const Coordinates& c) const { return header_->has(c.x) && header_->has(c.y); }

  void settle_columns(bool headless) {
    const auto pair = std::find_if(kCoordinates.begin(), kCoordinates.end(), [&](const auto& c) { return has(c); });
    if (pair == kCoordinates.end())
      throw IoError(message(header_->found(), " lacks the column '", header_->has("x") ? 'y' : 'x',
                            "', wanted x and y, col and row, or centroids of QuPath or ImageJ"));
    columns_.x = header_->find(pair->x), columns_.y = header_->find(pair->y), columns_.shift = pair->shift;
    columns_.x_name = pair->x, columns_.y_name = pair->y;
    if (pair->um) settle_unit();
    for (const char* name : {"class", "classification", "class name", "cell type", "type", "label"})
      if (columns_.classes == Header::kNone && !headless) columns_.classes = header_->find(name);
    settle_format(columns_.x_name.starts_with("centroid x ") && pair->shift != 0);
    settle_images(headless);
    if (columns_.x_name == "axis 2")
      found_.notes.push_back("points of three axes: the last two were taken for y and x, whatever the first says");
    if (columns_.x_name == "x" && columns_.area == Header::kNone && !headless) settle_boxes();
  }

  /// A column that says which image a point is of.
  void settle_images(bool headless) {
    for (const char* name : {"image", "image name", "filename", "file name", "file", "imagenumber", "image number"})
      if (columns_.image == Header::kNone && !headless) columns_.image = header_->find(name);
  }

  void settle_boxes() {
    for (const auto& [width, height] : {std::pair{"width", "height"}, {"w", "h"}}) {
      if (!header_->has(width) || !header_->has(height)) continue;
      columns_.width = header_->find(width), columns_.height = header_->find(height), columns_.shift = -0.5;
      found_.notes.push_back(
          message("x, y, ", width, ", ", height, " were taken for boxes, and their middles for nuclei"));
      return;
    }
  }

  void settle_unit() {
    const bool known = options_.um_per_pixel > 0;
    const double mpp = known ? options_.um_per_pixel : ManifestEntry::kReferenceMpp;
    columns_.factor = 1 / mpp;
    found_.notes.push_back(message("coordinates in um, divided by ", mpp, " um a pixel",
                                   known ? "" : ", which is assumed: the image's own was not given (--mpp, --image)"));
  }

  /// The columns of nucdet's detections and no others, whatever a spreadsheet has made of them.
  bool is_of_nucdet(const std::vector<std::string>& names) const {
    const auto known = [](const std::string& name) {
      constexpr std::array<std::string_view, 8> kOurs{"",     "x",   "y", "score", "class", "class probability",
                                                      "x um", "y um"};
      return std::find(kOurs.begin(), kOurs.end(), plain_name(name)) != kOurs.end();
    };
    return header_->has("score") && header_->has("class") == header_->has("class probability") &&
           std::all_of(names.begin(), names.end(), known);
  }

  /// Each column of QuPath's tables of points ends in a tab, and is there if an object has something in it.
  bool is_of_qupath(const std::vector<std::string>& names) {
    constexpr std::array<std::string_view, 5> kTheirs{"x", "y", "class", "name", "color"};
    auto next = kTheirs.begin();
    for (const std::string& name : names) {
      next = std::find(next, kTheirs.end(), name);
      if (next == kTheirs.end()) return false;
      ++next;
    }
    if (tab_behind_)
      found_.notes.push_back("a tab behind each column: taken for QuPath's, which counts from the pixel's corner");
    return tab_behind_;
  }

  void settle_format(bool qupath_measurements) {
    const std::vector<std::string>& names = header_->names();
    const bool tabs = table_.separator() == '\t';
    const bool plain = columns_.x_name == "x";
    found_.format = tabs ? "table (tabs)" : table_.separator() == ';' ? "table (semicolons)" : "CSV";
    if (plain && is_of_nucdet(names)) {
      found_.format = "nucdet CSV", found_.detections = true;
    } else if (qupath_measurements) {
      found_.format = "QuPath measurements";
      columns_.object = header_->find("object type");
    } else if (plain && tabs && (header_->has("color") || is_of_qupath(names))) {
      found_.format = "QuPath points", columns_.shift = -0.5;
    } else if (plain && names[columns_.x] == "X" && header_->has("area")) {
      found_.format = "ImageJ results", columns_.area = header_->find("area");
      found_.notes.push_back("ImageJ results: X and Y were taken for pixels, which they are in images without a scale");
      if (columns_.classes == header_->find("label")) columns_.classes = Header::kNone;  // the image's title
    }
  }

  void point(CsvRecord& record) {
    header_->check(record);
    if (columns_.object != Header::kNone && skips(record)) return;
    Point p{number(record, columns_.x, columns_.x_name), number(record, columns_.y, columns_.y_name)};
    if (columns_.width != Header::kNone)
      p.x += number(record, columns_.width, "the width") / 2, p.y += number(record, columns_.height, "the height") / 2;
    double shift = columns_.shift, area = 0;
    if (columns_.area != Header::kNone && parse_decimal(record.fields[columns_.area], area) && area > 0) shift = -0.5;
    found_.points.push_back({p.x * columns_.factor + shift, p.y * columns_.factor + shift});
    if (columns_.image == Header::kNone && found_.points.size() == 1) labels_are_images(record);
    if (columns_.classes != Header::kNone) found_.classes.emplace_back(record.fields[columns_.classes]);
    if (columns_.image != Header::kNone) note_image(record);
    if (columns_.object != Header::kNone)
      areas_.push_back(plain_name(record.fields[columns_.object]).find("annotation") != std::string::npos);
  }

  /// ImageJ's column "Label" has the image's title.
  void labels_are_images(const CsvRecord& record) {
    if (columns_.classes == Header::kNone || columns_.classes != header_->find("label")) return;
    const std::string label = small_letters(std::string(record.fields[columns_.classes]));
    const bool is_picture = std::any_of(std::begin(kPictureEndings), std::end(kPictureEndings),
                                        [&](std::string_view ending) { return label.ends_with(ending); });
    if (is_picture || scanner_format(label) != nullptr) columns_.image = std::exchange(columns_.classes, Header::kNone);
  }

  double number(const CsvRecord& record, std::size_t column, const std::string& name) const {
    double value = 0;
    const std::string_view field = record.fields[column];
    if (!parse_decimal(field, value) || !(std::abs(value) <= kLargestCoordinate))
      throw IoError(message(where_, ", line ", record.line, ": ", name, " is ", shown(field), ", wanted a number of ",
                            columns_.factor == 1 ? "pixels" : "um"));
    return value;
  }

  /// Rows of QuPath's that have no centre: the image itself, cores of tissue microarrays.
  bool skips(const CsvRecord& record) const {
    const std::string type = plain_name(record.fields[columns_.object]);
    return type == "image" || type.rfind("root", 0) == 0 || type.rfind("tma", 0) == 0;
  }

  /// QuPath exports the measurements of many images in one table. Which is wanted matters only if there are several.
  void note_image(const CsvRecord& record) {
    const std::string_view name = record.fields[columns_.image], wanted = options_.image;
    const auto stem = [](std::string_view text) { return text.substr(0, text.find_last_of('.')); };
    wanted_.push_back(name == wanted || stem(name) == wanted || stem(wanted) == name);
    if (wanted_.size() == 1) image_ = name;
    if (image_ != name && second_image_.empty()) second_image_ = name, second_line_ = record.line;
  }

  void keep_image() {
    if (second_image_.empty() || options_.all_images) return;
    if (options_.image.empty())
      throw IoError(message(where_, ", line ", second_line_, ": points of the images ", shown(image_), " and ",
                            shown(second_image_), " in one table, and none is asked for (--image names it)"));
    const std::size_t before = found_.points.size();
    keep([&](std::size_t i) { return wanted_[i]; });
    if (found_.points.empty())
      throw IoError(message(where_, ": holds points of several images (", shown(image_), ", ", shown(second_image_),
                            "), none of ", shown(options_.image)));
    found_.notes.push_back(message(before - found_.points.size(), " rows of other images were left out"));
  }

  /// Keeps the points for which `wanted(number)` holds.
  template <class Wanted>
  void keep(const Wanted& wanted) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found_.points.size(); ++i) {
      if (!wanted(i)) continue;
      found_.points[kept] = found_.points[i];
      if (!found_.classes.empty() && kept != i) found_.classes[kept] = std::move(found_.classes[i]);
      if (!areas_.empty()) areas_[kept] = areas_[i];
      ++kept;
    }
    found_.points.resize(kept);
    if (!found_.classes.empty()) found_.classes.resize(kept);
    if (!areas_.empty()) areas_.resize(kept);
  }

  void finish() {
    keep_image();
    drop_areas();
    // Numbers of a labelled mask are no classes.
    const auto is_number = [](const std::string& name) {
      double number = 0;
      return name.empty() || parse_decimal(name, number);
    };
    const std::vector<std::string>& names = header_->names();
    if (columns_.classes != Header::kNone && plain_name(names[columns_.classes]) == "label" &&
        std::all_of(found_.classes.begin(), found_.classes.end(), is_number))
      found_.classes.clear();
  }

  /// Where QuPath tells detections, its annotations are areas around them.
  void drop_areas() {
    const auto annotations = std::count(areas_.begin(), areas_.end(), true);
    if (annotations == 0 || annotations == static_cast<std::ptrdiff_t>(areas_.size())) return;
    const std::vector<bool> areas = areas_;
    keep([&](std::size_t i) { return !areas[i]; });
    found_.notes.push_back(message(annotations, " annotations beside the detections were left out"));
  }

  std::string_view where_;
  const AnnotationOptions& options_;
  TableParser table_;
  std::optional<Header> header_;
  Columns columns_;
  bool tab_behind_ = false;  // the header's last column
  Annotations found_;
  std::vector<bool> areas_;
  std::vector<bool> wanted_;  // by image
  std::string image_, second_image_;
  Index second_line_ = 0;
};

}  // namespace

Annotations parse_annotations(std::string_view text, std::string_view where, const AnnotationOptions& options) {
  const Utf8Text utf8(text, where, Utf8Text::Otherwise::latin1);
  Annotations found = PointTable(utf8.text(), where, options).read();
  if (utf8.guessed()) found.notes.push_back("the text is not UTF-8 and was taken for Latin-1");
  return found;
}

}  // namespace nucdet::io

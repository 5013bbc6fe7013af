#include "run_report.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"
#include "nucdet/io/detail/input_file.hpp"

#include "json_output.hpp"

namespace nucdet::program {

namespace fs = std::filesystem;

namespace {

using State = ImageRecord::State;

constexpr const char* kFormat = "nucdet-image-1";  // src/io/provenance.cpp knows it
constexpr State kStates[] = {State::done, State::failed, State::skipped};
constexpr std::uint64_t kLargestReport = std::uint64_t{1} << 30;  // bytes

Json counts_of(const ImageRecord& r) {
  Json counts = Json::object();
  for (std::size_t c = 0; c < std::min(r.classes.size(), r.row.of_class.size()); ++c)
    counts[r.classes[c]] = r.row.of_class[c];
  return counts;
}

/// A number above 0, or null: not known.
Json known(double value) { return value > 0 ? Json(value) : Json(nullptr); }

/// Members of a line, with what a missing or wrong one stands for.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}
  std::string text(const char* name) const {
    const auto at = json_.find(name);
    return at != json_.end() && at->is_string() ? at->get<std::string>() : std::string();
  }
  double number(const char* name) const {
    const auto at = json_.find(name);
    return at != json_.end() && at->is_number() ? at->get<double>() : 0;
  }
  Index whole(const char* name) const {
    const auto at = json_.find(name);
    return at != json_.end() ? whole_number(*at) : 0;
  }

 private:
  const Json& json_;
};

/// Where somebody else's program writes a line by several calls, the last one may stand there without its end.
bool ends_in_a_line(int descriptor) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return size <= 0 || ::pread(descriptor, &last, 1, size - 1) != 1 || last == '\n';
}

std::string known_as(const std::string& name, const std::string& key) { return key + ' ' + name; }

}  // namespace

std::string_view name_of(State state) {
  return state == State::done ? "done" : state == State::failed ? "failed" : "skipped";
}

std::string line_of(const ImageRecord& r) {
  Json json = {{"format", kFormat}, {"image", r.image},          {"name", r.row.image},
               {"input", r.input},  {"state", name_of(r.state)}, {"key", r.key}};
  if (r.state != State::failed) {
    json["nuclei"] = r.row.nuclei;
    if (!r.classes.empty()) json["classes"] = counts_of(r);
    json["area_mm2"] = known(r.row.area_mm2);
    json["um_per_pixel"] = {{"x", known(r.row.pixel_size.x)}, {"y", known(r.row.pixel_size.y)}};
    json["width"] = r.row.width, json["height"] = r.row.height;
    if (r.corrected) json["corrected"] = true;
    json["files"] = r.files;
  } else {
    json["error"] = r.error;
  }
  json["seconds"] = known(r.row.seconds);
  json["started"] = r.started, json["host"] = r.host, json["version"] = r.version, json["shard"] = r.shard;
  if (!r.device.empty()) json["device"] = r.device;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::optional<ImageRecord> record_of_line(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const Members members(json);
  const std::string state = members.text("state");
  const auto* const at =
      std::find_if(std::begin(kStates), std::end(kStates), [&](State s) { return name_of(s) == state; });
  if (members.text("format") != kFormat || at == std::end(kStates) || members.text("name").empty()) return std::nullopt;
  ImageRecord r;  // a member at a time: of designated initialisers g++ 12 warns that they may not be initialised
  r.state = *at;
  r.image = members.text("image"), r.input = members.text("input"), r.key = members.text("key");
  r.error = members.text("error"), r.started = members.text("started"), r.host = members.text("host");
  r.version = members.text("version"), r.shard = members.text("shard"), r.device = members.text("device");
  r.corrected = json.value("corrected", Json(false)) == Json(true);
  r.row.image = members.text("name");
  r.row.width = members.whole("width"), r.row.height = members.whole("height");
  r.row.area_mm2 = members.number("area_mm2");
  r.row.nuclei = members.whole("nuclei");
  r.row.seconds = members.number("seconds");
  if (const auto size = json.find("um_per_pixel"); size != json.end() && size->is_object())
    r.row.pixel_size.x = Members(*size).number("x"), r.row.pixel_size.y = Members(*size).number("y");
  if (const auto counts = json.find("classes"); counts != json.end() && counts->is_object())
    for (const auto& [name, count] : counts->items())
      r.classes.push_back(name), r.row.of_class.push_back(whole_number(count));
  if (const auto files = json.find("files"); files != json.end() && files->is_array())
    for (const Json& file : *files)
      if (file.is_string()) r.files.push_back(file.get<std::string>());
  return r;
}

std::vector<ImageRecord> read_run_report(const fs::path& file, std::size_t* torn) {
  const std::string text = io::detail::InputFile(file).read_all(kLargestReport);
  std::vector<ImageRecord> records;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    if (std::optional<ImageRecord> record = record_of_line(line)) {
      record->folder = file.parent_path();
      records.push_back(std::move(*record));
    } else if (torn != nullptr) {
      ++*torn;
    }
  }
  return records;
}

std::string utc_now() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const auto part = static_cast<int>(now.time_since_epoch().count() % 1000);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", part);
  return text;
}

RunReport::RunReport(fs::path file) : file_(std::move(file)) {
  if (file_.empty()) return;
  std::error_code none;
  if (fs::is_regular_file(file_, none))
    for (const ImageRecord& r : read_run_report(file_))
      if (r.state != State::failed) known_.push_back(known_as(r.row.image, r.key));
  std::sort(known_.begin(), known_.end());
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && errno == EINVAL) descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    throw IoError(message(file_.string(), ": cannot be opened: ", std::generic_category().message(errno)));
}

RunReport::~RunReport() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RunReport::knows(const std::string& name, const std::string& key) const {
  return std::binary_search(known_.begin(), known_.end(), known_as(name, key));
}

std::string RunReport::named(const fs::path& file) const {
  std::error_code none;
  const auto whole = [&](const fs::path& path) { return fs::weakly_canonical(fs::absolute(path, none), none); };
  const fs::path folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
  return whole(file).lexically_relative(whole(folder)).generic_string();
}

void RunReport::add(const ImageRecord& record) {
  if (!wanted()) return;
  std::string line = line_of(record);
  if (!ends_in_a_line(descriptor_)) line.insert(0, 1, '\n');
  const auto fail = [&](const char* what) {
    throw IoError(message(file_.string(), ": ", what, ": ", std::generic_category().message(errno)));
  };
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written < 0) fail("cannot be written");
  if (static_cast<std::size_t>(written) != line.size())
    throw IoError(message(file_.string(), ": cannot be written: ", written, " of ", line.size(), " bytes"));
  // Pipes and devices cannot be synced; a line that says what the results' own files say may be lost.
  if (record.state != State::skipped && ::fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS &&
      errno != ENOTSUP)
    fail("cannot be kept on the disk");
}

}  // namespace nucdet::program

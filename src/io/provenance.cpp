#include "nucdet/io/provenance.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/io/content_hash.hpp"

#include "byte_reading.hpp"
#include "json_writing.hpp"
#include "marks.hpp"

namespace nucdet::io {

namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

constexpr std::size_t kHead = 4096, kWeightsHead = std::size_t{1} << 16, kTail = std::size_t{1} << 16;

std::string bytes_of(const fs::path& path, std::uint64_t from, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from));
  std::string bytes(most, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  return bytes;
}

std::string_view skip_space(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  return text;
}

/// What follows `"key":` where it first stands, without the space before it; empty if it does not.
std::string_view value_after(std::string_view json, std::string_view key) {
  for (std::size_t at = json.find(key); at != json.npos; at = json.find(key, at + 1)) {
    const std::string_view rest = skip_space(json.substr(at + key.size()));
    if (rest.starts_with(':')) return skip_space(rest.substr(1));
  }
  return {};
}

Product product_of_json(std::string_view head) {
  if (!head.starts_with('{') && !head.starts_with('[')) return Product::none;
  // A collection of GeoJSON names its writer by a foreign member.
  if (value_after(head, "\"nucdet\"").starts_with('{') && head.find("\"FeatureCollection\"") != head.npos)
    return Product::detections;
  const std::string_view format = value_after(head, "\"format\"");
  if (format.starts_with("\"nucdet-detections-")) return Product::detections;
  if (format.starts_with("\"nucdet-scores-")) return Product::scores;
  if (format.starts_with("\"nucdet-image-")) return Product::log;
  if (format.starts_with("\"nucdet-run-")) return Product::counts;
  const bool figures = format.starts_with("\"nucdet-bench-") || format.starts_with("\"nucdet-training-");
  return figures ? Product::figures : Product::none;
}

Product product_of_table(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  std::string_view line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (const detail::TableMark& mark : detail::kTableMarks)
    if (line.starts_with(mark.begin) && line.ends_with(mark.end) &&
        (line.size() == mark.begin.size() || line[mark.begin.size()] == ','))
      return mark.product;
  const bool confusion = line.starts_with(detail::kConfusionBegin) && line.ends_with(detail::kConfusionEnd);
  return confusion ? Product::scores : Product::none;
}

/// A PNG's chunks before its pixels: is there a "Software" of ours?
bool png_is_ours(std::string_view head) {
  for (std::size_t at = 8; at + 8 <= head.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(head[at + i])); };
    const std::size_t bytes = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    const std::string_view type = head.substr(at + 4, 4), data = head.substr(at + 8);
    if (type == "IDAT") return false;
    if (type == "tEXt" && data.starts_with("Software\0"sv) && data.substr(9).starts_with(detail::kMadeByAny))
      return true;
    at += 12 + bytes;
  }
  return false;
}

bool weights_are_ours(const fs::path& path) {
  const std::string head = bytes_of(path, 8, kWeightsHead);
  if (!head.starts_with("{\"__metadata__\":{")) return false;
  return !value_after(head, "\"nucdet.version\"").empty() || !value_after(head, "\"network\"").empty();
}

bool sqlite_is_ours(std::string_view head) {
  if (head.size() < 72) return false;
  unsigned id = 0;
  for (std::size_t i = 68; i < 72; ++i) id = id << 8 | static_cast<unsigned char>(head[i]);
  return id == detail::kSqliteApplication;
}

/// What was gzipped has its maker as the gzip header's comment, where it can be read without unpacking.
bool gzip_is_ours(std::string_view head) {
  return head.starts_with("\x1f\x8b\x08\x10"sv) &&
         head.substr(std::min<std::size_t>(10, head.size())).starts_with(detail::kMadeByAny);
}

bool comment_is_ours(std::string_view head, std::string_view opening) {
  const std::size_t at = head.find(opening), version = at + opening.size() + detail::kMadeByAny.size();
  return at != head.npos && head.substr(at + opening.size()).starts_with(detail::kMadeByAny) && version < head.size() &&
         head[version] >= '0' && head[version] <= '9';
}

constexpr std::string_view kEarlier = " earlier";  // after the hash of a file that the latest call did not write
constexpr std::string_view kWas = " was ";         // before that of the file in whose place it came
constexpr std::string_view kRecord = ",\n \"files\": {";

/// What the JSON says of a file by its name: the hash, or nothing. Sets `before` to where the record begins.
std::string recorded_hash(const fs::path& json, const std::string& name, std::uint64_t& before) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(json, error), from = size > kTail ? size - kTail : 0;
  if (error) return {};
  const std::string tail = bytes_of(json, from, kTail);
  const std::size_t at = tail.rfind(kRecord);
  if (at == tail.npos) return {};
  before = from + at;
  const auto record = detail::Json::parse("{" + tail.substr(at + 1), nullptr, false);
  if (!record.is_object() || !record.contains("files")) return {};
  const auto& files = record["files"];
  return files.contains(name) && files[name].is_string() ? files[name].get<std::string>() : std::string();
}

/// What a JSON says of a file, which may be itself, by its name.
Record record_in(const fs::path& json, const fs::path& path, const std::string& name) {
  if (product_of(json) == Product::none) return Record::none;
  std::uint64_t before = 0;
  const std::string hash = recorded_hash(json, name, before);
  if (hash.empty()) return Record::unnamed;
  const std::string now = json.filename() == path.filename() ? content_hash_of(path, before) : content_hash_of(path);
  if (hash == now || hash == now + std::string(kEarlier))
    return hash.ends_with(kEarlier) ? Record::earlier : Record::same;
  if (hash.starts_with(now + std::string(kWas))) return Record::same;
  return hash.ends_with(std::string(kWas) + now) ? Record::earlier : Record::changed;
}

}  // namespace

Product product_of(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return Product::none;
  const std::string bytes = bytes_of(path, 0, kHead);
  const std::string_view head = bytes, text = skip_space(head);
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return png_is_ours(head) ? Product::drawing : Product::none;
  if (head.starts_with(detail::kSqliteMagic)) return sqlite_is_ours(head) ? Product::detections : Product::none;
  if (head.starts_with("\x1f\x8b")) return gzip_is_ours(head) ? Product::detections : Product::none;
  if (head.starts_with(detail::kOnnxHead)) return Product::network;
  if (head.size() > 8 && head[8] == '{' && weights_are_ours(path)) return Product::weights;
  if (text.starts_with("<svg")) return comment_is_ours(head, "<!-- ") ? Product::chart : Product::none;
  if (text.starts_with("<!-- ")) return comment_is_ours(head, "<!-- ") ? Product::report : Product::none;
  if (text.starts_with("// ")) return comment_is_ours(head, "// ") ? Product::graph : Product::none;
  const Product json = product_of_json(text);
  return json == Product::none ? product_of_table(head) : json;
}

std::string_view name_of(Product product) {
  switch (product) {
    case Product::detections:
      return "detections of nucdet";
    case Product::scores:
      return "scores of nucdet";
    case Product::counts:
      return "a summary of nucdet";
    case Product::figures:
      return "figures of nucdet";
    case Product::drawing:
      return "a drawing of nucdet";
    case Product::chart:
      return "a chart of nucdet";
    case Product::graph:
      return "a graph of nucdet";
    case Product::network:
      return "an ONNX network of nucdet";
    case Product::report:
      return "a report of nucdet";
    case Product::log:
      return "a log of nucdet";
    case Product::weights:
      return "weights of nucdet";
    case Product::none:
      break;
  }
  return "no product of nucdet";
}

Record record_of(const fs::path& path) {
  // As JSON has it: bytes that are not UTF-8 are replaced there.
  const std::string name = detail::Json::parse(detail::text_of(path.filename().string())).get<std::string>();
  Record found = Record::none;
  if (product_of(path) == Product::scores) return record_in(path.parent_path() / "scores.json", path, name);
  // "a.overlay.png": the image may be called "a.overlay" or "a".
  for (fs::path stem = path.stem();; stem = stem.stem()) {
    const fs::path json = path.parent_path() / (stem.string() + ".json");
    const Record record = product_of(json) == Product::detections ? record_in(json, path, name) : Record::none;
    if (record != Record::none && record != Record::unnamed) return record;
    if (record == Record::unnamed) found = record;
    if (!stem.has_extension()) return found;
  }
}

bool forget_replaced(std::map<std::string, std::string>& records) {
  bool any = false;
  for (auto& [name, record] : records) {
    const std::size_t was = record.find(kWas);
    if (was == record.npos) continue;
    record.resize(was);
    any = true;
  }
  return any;
}

std::map<std::string, std::string> earlier_records(std::span<const fs::path> files) {
  std::map<std::string, std::string> records;
  for (const fs::path& file : files) {
    std::error_code none;
    if (!fs::is_regular_file(file, none)) continue;
    if (const Record record = record_of(file); record != Record::same && record != Record::earlier) continue;
    records[file.filename().string()] = content_hash_of(file) + std::string(kEarlier);
  }
  return records;
}

}  // namespace nucdet::io

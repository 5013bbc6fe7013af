#include "nucdet/io/annotation_store.hpp"

#ifdef NUCDET_WITH_SQLITE
#include <cmath>

#include "gzip.hpp"
#include "json_stream.hpp"
#include "outline.hpp"
#include "sqlite.hpp"
#include "wkb.hpp"
#else
#include "nucdet/core/error.hpp"
#endif

namespace nucdet::io {

#ifdef NUCDET_WITH_SQLITE

namespace {

using detail::Database;
using detail::Statement;
using nlohmann::json;

/// What a file may ask for. It may be made to hurt: pages that hold each other, values longer than the file.
class Limits {
 public:
  Limits(sqlite3* db, std::uint64_t bytes)
      : left_(bytes), unpacked_left_(kUnpacked + 32 * bytes), steps_left_(1000 + bytes / kStep) {
    const auto off = [&](int what) { sqlite3_db_config(db, what, 0, static_cast<int*>(nullptr)); };
    off(SQLITE_DBCONFIG_ENABLE_TRIGGER), off(SQLITE_DBCONFIG_ENABLE_VIEW), off(SQLITE_DBCONFIG_TRUSTED_SCHEMA);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, static_cast<int*>(nullptr));
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min<std::uint64_t>(bytes + 1024, kLongest)));
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 16);
    sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 100);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 20);
    sqlite3_progress_handler(
        db, kStep, [](void* self) { return static_cast<Limits*>(self)->stop() ? 1 : 0; }, this);
  }
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  /// Counts what is read of the file: no byte is there twice. False if there are more than it has.
  bool take(std::size_t bytes) {
    const bool fits = bytes <= left_;
    left_ -= fits ? bytes : left_;
    return fits;
  }
  /// How much a geometry may unpack to.
  std::uint64_t longest_geometry() const { return std::min<std::uint64_t>(unpacked_left_, kLongest); }
  void unpacked(std::size_t bytes) { unpacked_left_ -= bytes; }

 private:
  static constexpr std::uint64_t kLongest = 1 << 26, kUnpacked = 1 << 24;
  static constexpr int kStep = 1000;  // instructions of SQLite; a row of 20 bytes and more takes about ten

  bool stop() { return steps_left_ == 0 || --steps_left_ == 0; }

  std::uint64_t left_, unpacked_left_, steps_left_;
};

class StoreReader {
 public:
  StoreReader(Database& db, std::uint64_t bytes) : db_(db), limits_(db.get(), bytes) {
    db_.run("PRAGMA cell_size_check=ON");
    db_.run("PRAGMA mmap_size=0");
  }

  Annotations read() {
    check_table("annotations", {"cx", "cy", "geometry", "properties"});
    check_table("metadata", {"key", "value"});
    read_metadata();
    Statement rows(db_, "SELECT id, cx, cy, geometry, properties FROM annotations");
    while (rows.step()) add(rows);
    detail::drop_empty_classes(found_);
    found_.format = found_.detections ? "AnnotationStore of nucdet" : "TIAToolbox AnnotationStore";
    return std::move(found_);
  }

 private:
  /// A plain table, no view and no virtual one, with plain columns.
  void check_table(const char* name, std::initializer_list<const char*> columns) {
    Statement tables(db_, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND rootpage > 0");
    tables.bind(1, std::string_view(name));
    if (!tables.step())
      throw IoError(message(db_.where(), ": has no table '", name, "', which an AnnotationStore of TIAToolbox has"));
    for (const char* column : columns) {
      Statement info(db_, "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? AND hidden = 0");
      info.bind(1, std::string_view(name)), info.bind(2, std::string_view(column));
      if (!info.step()) throw IoError(message(db_.where(), ": its table '", name, "' has no column '", column, "'"));
    }
  }
  void read_metadata() {
    Statement rows(db_, "SELECT key, value FROM metadata");
    while (rows.step()) {
      const std::string key(taken(rows, 0)), value(taken(rows, 1));
      if (key == "nucdet") found_.detections = true;
      if (key == "compression" && value != "null" && value != "\"zlib\"")
        throw IoError(message(db_.where(), ": its geometries are compressed by ", value.substr(0, 40),
                              ", wanted \"zlib\" or null"));
      if (key == "compression") zlib_ = value != "null";
    }
  }
  void add(Statement& row) {
    const std::string where = message(db_.where(), ": annotation ", row.integer(0));
    const std::string name = class_of(taken(row, 4), where);
    if (row.type(3) == SQLITE_NULL) return add_point(position(row, where), name);
    std::string_view geometry = taken(row, 3);
    std::string unpacked;
    if (zlib_) {
      geometry = unpacked = detail::inflate_zlib(geometry, where, limits_.longest_geometry());
      limits_.unpacked(unpacked.size());
    }
    detail::parse_wkb(
        geometry, where, [&](Point p) { add_point(p, name); },
        [&](detail::Outline outline) { add_outline(found_, std::move(outline), name); });
  }
  static Point position(const Statement& row, const std::string& where) {
    const Point at{row.number(1), row.number(2)};
    const auto good = [&](int i, double v) {
      return (row.type(i) == SQLITE_FLOAT || row.type(i) == SQLITE_INTEGER) && std::abs(v) <= kLargestCoordinate;
    };
    if (!good(1, at.x) || !good(2, at.y)) throw IoError(where + " has no position in pixels");
    return at;
  }
  void add_point(Point at, const std::string& name) {
    found_.points.push_back(at);
    found_.classes.push_back(name);
  }
  /// By whatever name a program calls it.
  static std::string class_of(std::string_view properties, const std::string& where) {
    if (properties.empty()) return {};
    const json of = detail::parse_list(properties, where, "", "measurements", [](const json&) {});
    if (!of.is_object()) return {};
    for (const char* name : {"type", "class", "classification"}) {
      const auto found = of.find(name);
      if (found == of.end()) continue;
      if (found->is_string()) return found->get<std::string>();
      if (found->is_number()) return found->dump();
      if (found->is_object() && found->contains("name") && (*found)["name"].is_string())
        return (*found)["name"].get<std::string>();
    }
    return {};
  }
  std::string_view taken(const Statement& row, int column) {
    const std::string_view bytes = row.bytes(column);
    if (!limits_.take(bytes.size())) throw IoError(message(db_.where(), ": SQLite: the file is damaged"));
    return bytes;
  }

  Database& db_;
  Limits limits_;
  bool zlib_ = true;
  Annotations found_;
};

/// A name that SQLite takes for a file as it is: nothing is locked, nothing else is opened, nothing is written.
std::string immutable(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '/' || c == '.';
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      uri += c;
    else
      uri += '%', uri += "0123456789ABCDEF"[byte >> 4], uri += "0123456789ABCDEF"[byte & 15];
  }
  return uri + "?mode=ro&immutable=1";
}

}  // namespace

Annotations read_annotation_store(const std::filesystem::path& path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw IoError(message(path.string(), ": cannot be opened: ", error.message()));
  Database db(immutable(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, path.string());
  Annotations found = StoreReader(db, bytes).read();
  for (const char* beside : {"-wal", "-journal"})
    if (std::filesystem::exists(path.string() + beside, error))
      found.notes.push_back(message("changes in ", path.filename().string(), beside,
                                    " are not read: close the program that writes the store"));
  return found;
}

Annotations parse_annotation_store(std::span<const std::byte> bytes, std::string_view where) {
  Database db(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, where);
  // Read-only, so that the bytes are not written to.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  db.check(sqlite3_deserialize(db.get(), "main", data, size, size, SQLITE_DESERIALIZE_READONLY));
  return StoreReader(db, bytes.size()).read();
}

#else

Annotations read_annotation_store(const std::filesystem::path& path) {
  return parse_annotation_store({}, path.string());
}

Annotations parse_annotation_store(std::span<const std::byte>, std::string_view where) {
  throw IoError(message(where, ": is an AnnotationStore, and nucdet was built without SQLite (libsqlite3-dev)"));
}

#endif

}  // namespace nucdet::io

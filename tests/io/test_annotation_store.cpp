#include <cstring>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotation_store.hpp"
#include "nucdet/version.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

#ifdef NUCDET_WITH_SQLITE
#include "io/sqlite.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

using io::detail::Database;
using io::detail::Statement;

/// A store as TIAToolbox makes it, or whatever else the statements make.
void make_store(const std::filesystem::path& path, const char* sql) {
  std::filesystem::remove(path);
  Database db(path.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "made");
  db.run(sql);
}

const std::string kTables =
    "CREATE TABLE metadata (key TEXT UNIQUE, value TEXT);"
    "CREATE TABLE annotations(id INTEGER PRIMARY KEY, key TEXT UNIQUE, objtype TEXT, cx FLOAT, cy FLOAT, geometry BLOB,"
    " properties TEXT, area FLOAT NOT NULL);";

// Polygon((1 2, 5 2, 5 6, 1 6, 1 2)) by shapely: plain, little endian; and by zlib, as TIAToolbox keeps it.
const char* const kSquare =
    "x'01030000000100000005000000000000000000F03F0000000000000040000000000000144000000000000000400000000000001440"
    "0000000000001840000000000000F03F0000000000001840000000000000F03F0000000000000040'";

std::string row(int id, const std::string& geometry, const std::string& properties, const std::string& at = "3, 4") {
  return "INSERT INTO annotations VALUES (" + std::to_string(id) + ", '" + std::to_string(id) + "', '?', " + at + ", " +
         geometry + ", '" + properties + "', 0);";
}

}  // namespace

TEST_CASE("detections in an AnnotationStore come back") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  report.nuclei = {{{1.25, 2}, 0.3f}, {{-0.5, 7}, 1, 1, 0.9f}, {{-0.5, 7}, 1, 0, 0.5f}};
  report.classes = ClassNames({"stroma", "a 'b' \"c\""});
  report.pixel_size = {0.25, 0.25, "--mpp"};
  write_annotation_store(folder / "a.db", report, {.class_name = "?"});
  const Annotations back = read_annotation_store(folder / "a.db");
  CHECK(back.points == centres_of(report.nuclei));
  CHECK(back.classes == std::vector<std::string>{"?", "a 'b' \"c\"", "stroma"});
  CHECK(back.detections);
  CHECK(back.areas.everywhere());
  const std::string bytes = contents_of(folder / "a.db");
  CHECK(bytes.substr(68, 4) == "nucd");
  CHECK(parse_annotation_store(std::as_bytes(std::span(bytes)), "t").points == back.points);
  write_annotation_store(folder / "b.db", report, {.class_name = "?"});
  CHECK(contents_of(folder / "b.db") == bytes);  // the same call, the same bytes
  write_annotation_store(folder / "b.db", report, {.offset = {1000, 2000}});
  CHECK(read_annotation_store(folder / "b.db").points[0] == Point{1001.25, 2002});
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()) == 2);
  CHECK_THROWS_AS(write_annotation_store(folder / "no" / "a.db", report), IoError);
  report.nuclei[0].centre.x = 2e9;
  CHECK_THROWS_AS(write_annotation_store(folder / "a.db", report), ArgumentError);
  CHECK(contents_of(folder / "a.db") == bytes);
}

TEST_CASE("what TIAToolbox asks a store for") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  report.nuclei = {{{10.25, 20}, 0.3f}, {{100, 7}, 1}};
  write_annotation_store(folder / "a.db", report);
  const Database db((folder / "a.db").string(), SQLITE_OPEN_READONLY, "a");
  const auto text = [&](const char* sql) {
    Statement statement(db, sql);
    REQUIRE(statement.step());
    return std::string(statement.bytes(0));
  };
  CHECK(text("SELECT value FROM metadata WHERE [key] = 'version'") == "\"1.0.1\"");
  CHECK(text("SELECT value FROM metadata WHERE [key] = 'compression'") == "null");
  CHECK(text("SELECT value ->> '$.version' FROM metadata WHERE [key] = 'nucdet'") == NUCDET_VERSION_STRING);
  CHECK(text("SELECT annotations.id FROM annotations, rtree WHERE annotations.id == rtree.id AND max_x >= 5 AND "
             "min_x <= 15 AND max_y >= 15 AND min_y <= 25") == "1");
  CHECK(text("SELECT objtype || typeof(geometry) || area || properties FROM annotations WHERE id = 1") ==
        R"(Pointnull0.0{"type":"Nucleus","score":0.3})");
  CHECK(text("SELECT length(key) FROM annotations WHERE id = 2") == "36");
}

TEST_CASE("the index of a store is sound, whatever its depth") {
  const TemporaryFolder folder;
  for (const int count : {0, 1, 51, 52, 103, 3000, 140000}) {
    DetectionReport report;
    std::uint32_t random = 1;
    const auto next = [&] { return (random = random * 1664525u + 1013904223u) * 1e-6; };
    for (int i = 0; i < count; ++i) report.nuclei.push_back({{next(), i % 3 == 0 ? 7.1 : -next()}, 1});
    write_annotation_store(folder / "a.db", report);
    const Database db((folder / "a.db").string(), SQLITE_OPEN_READONLY, "a");
    Statement sound(db, "SELECT rtreecheck('rtree')");
    REQUIRE(sound.step());
    CHECK(sound.bytes(0) == "ok");
    // The index finds what looking at each row finds.
    Statement found(
        db,
        "SELECT count(*), sum(id) FROM rtree WHERE max_x >= 100 AND min_x <= 2000 AND max_y >= -900 AND min_y <= 50");
    Statement wanted(
        db, "SELECT count(*), sum(id) FROM annotations WHERE cx >= 100 AND cx <= 2000 AND cy >= -900 AND cy <= 50");
    REQUIRE((found.step() && wanted.step()));
    CHECK(found.integer(0) == wanted.integer(0));
    CHECK(found.integer(1) == wanted.integer(1));
    CHECK((count < 3000 || found.integer(0) > 100));
  }
}

TEST_CASE("annotations and areas in an AnnotationStore come back") {
  const TemporaryFolder folder;
  Annotations annotations;
  annotations.points = {{1, 2}, {30.5, 4}}, annotations.classes = {"", "Tumor"};
  const std::vector<Point> outer{{0, 0}, {9, 0}, {9, 9}, {0, 9}, {0, 0}}, hole{{3, 3}, {6, 3}, {6, 6}, {3, 3}},
      other{{20, 0}, {29, 0}, {29, 9}, {20, 0}};
  annotations.areas.regions = {{{outer, hole, other}}, {{outer}}};
  annotations.areas.ignored = {{{other}}};
  write_annotation_store(folder / "a.db", annotations);
  const Annotations back = read_annotation_store(folder / "a.db");
  CHECK(back.points == annotations.points);
  CHECK(back.classes == annotations.classes);
  CHECK(back.areas == annotations.areas);
  CHECK(!back.detections);
  CHECK(contents_of(folder / "a.db").substr(68, 4) == std::string(4, '\0'));
}

TEST_CASE("a store of TIAToolbox: outlines, classes by any name") {
  const TemporaryFolder folder;
  make_store(folder / "it's 50%.db",
             (kTables + "INSERT INTO metadata VALUES ('version', '\"1.0.1\"'), ('compression', 'null');" +
              row(1, kSquare, R"({"type":"Tumor"})", "9, 9") + row(2, "NULL", R"({"class":3})", "1.5, 2") +
              row(3, "NULL", R"({"classification":{"name":"Stroma"}})") + row(4, "NULL", "{}") + row(5, "NULL", "[]") +
              row(6, kSquare, R"({"type":"Region*"})"))
                 .c_str());
  const Annotations found = read_annotation_store(folder / "it's 50%.db");
  CHECK(found.points == std::vector<Point>{{3, 4}, {1.5, 2}, {3, 4}, {3, 4}, {3, 4}});
  CHECK(found.classes == std::vector<std::string>{"Tumor", "3", "Stroma", "", ""});
  REQUIRE(found.areas.regions.size() == 1);
  CHECK(found.areas.regions[0].contains({2, 3}));
  CHECK(found.format == "TIAToolbox AnnotationStore");
  CHECK(found.notes.empty());
  put(folder / "it's 50%.db-journal", "?");
  CHECK(read_annotation_store(folder / "it's 50%.db").notes.size() == 1);
}

TEST_CASE("what is no AnnotationStore is told, and nothing in it is run") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& sql) {
    make_store(folder / "a.db", sql.c_str());
    return error_of<IoError>([&] { read_annotation_store(folder / "a.db"); });
  };
  const std::string plain = "INSERT INTO metadata VALUES ('compression', 'null');";
  CHECK(error("CREATE TABLE x (y);").find("a.db: has no table 'annotations'") != std::string::npos);
  CHECK(error("CREATE TABLE annotations (cx, cy, geometry, properties);").find("no table 'metadata'") !=
        std::string::npos);
  CHECK(error("CREATE TABLE metadata (key, value); CREATE TABLE annotations (cx, geometry, properties);")
            .find("table 'annotations' has no column 'cy'") != std::string::npos);
  CHECK(error("CREATE TABLE metadata (key, value); CREATE TABLE t (id, cx, cy, geometry, properties);"
              "CREATE VIEW annotations AS SELECT * FROM t;")
            .find("no table 'annotations'") != std::string::npos);
  CHECK(error("CREATE TABLE metadata (key, value);"
              "CREATE VIRTUAL TABLE annotations USING rtree(id, cx, cy, geometry, properties);")
            .find("no table 'annotations'") != std::string::npos);
  CHECK(error("CREATE TABLE metadata (key, value);"
              "CREATE TABLE annotations (id, cx, cy, geometry AS (zeroblob(1000000000)), properties);")
            .find("no column 'geometry'") != std::string::npos);
  CHECK(error(kTables + "INSERT INTO metadata VALUES ('compression', '\"lz4\"');").find("\"lz4\"") !=
        std::string::npos);
  CHECK(error(kTables + plain + row(7, "NULL", "{}", "'a', 2")).find("annotation 7 has no position") !=
        std::string::npos);
  CHECK(error(kTables + plain + row(7, "NULL", "{}", "1e10, 2")).find("annotation 7 has no position") !=
        std::string::npos);
  CHECK(error(kTables + plain + row(7, "NULL", "{")).find("annotation 7: byte ") != std::string::npos);
  CHECK(error(kTables + plain + row(7, "x'0102000000'", "{}")).find("annotation 7 has a geometry of kind 2") !=
        std::string::npos);
  CHECK(error(kTables + plain + row(7, "x'01030000000100000005000000'", "{}")).find("no well-known binary") !=
        std::string::npos);
  CHECK(error(kTables + row(7, "x'01030000000100000005000000'", "{}")).find("damaged") != std::string::npos);
  put(folder / "b.db", "no database, but long enough to be looked at by one that reads them");
  CHECK(error_of<IoError>([&] { read_annotation_store(folder / "b.db"); }).find("not a database") != std::string::npos);
  CHECK(error_of<IoError>([&] { read_annotation_store(folder / "c.db"); }).find("cannot be opened") !=
        std::string::npos);
}

TEST_CASE("a damaged store is an error or less is read, and it ends") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  for (int i = 0; i < 400; ++i) report.nuclei.push_back({{i * 1.5, i * 0.5}, 1});
  write_annotation_store(folder / "a.db", report);
  const std::string whole = contents_of(folder / "a.db");
  std::uint32_t random = 1;
  for (int trial = 0; trial < 300; ++trial) {
    std::string bytes = whole;
    for (int k = 0; k < 1 + trial % 9; ++k) {
      random = random * 1664525u + 1013904223u;
      const std::size_t at = (random >> 8) % bytes.size();
      bytes[at] = static_cast<char>(random >> 3);
    }
    try {
      for (const Point& p : parse_annotation_store(std::as_bytes(std::span(bytes)), "t").points)
        CHECK((std::abs(p.x) <= 1e9 && std::abs(p.y) <= 1e9));
    } catch (const IoError&) {}
  }
  for (std::size_t length = 0; length < whole.size(); length += 777) try {
      parse_annotation_store(std::as_bytes(std::span(whole)).first(length), "t");
    } catch (const IoError&) {}
}

#endif

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/chart.hpp"
#include "nucdet/io/class_report.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/io/safetensors.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

const std::vector<Nucleus> kTwo{{.centre = {1, 2}, .score = 0.5f}, {.centre = {3.25, 4}, .score = 0.75f}};

/// A result as `nucdet detect` leaves it.
void write_result(const TemporaryFolder& folder, const std::string& stem) {
  AtomicFiles together;
  write_points(folder / (stem + ".csv"), kTwo);
  write_drawing(folder / (stem + ".overlay.png"), make_image(4, 4, 3, 0.5f));
  DetectionReport report{.image = stem + ".png", .nuclei = kTwo};
  report.files = together.records();
  write_detections_json(folder / (stem + ".json"), report);
  together.commit();
}

}  // namespace

TEST_CASE("what nucdet writes is known by its content") {
  const TemporaryFolder folder;
  write_result(folder, "a");
  CHECK(product_of(folder / "a.csv") == Product::detections);
  CHECK(product_of(folder / "a.json") == Product::detections);
  CHECK(product_of(folder / "a.overlay.png") == Product::drawing);
  write_points(folder / "classes.csv", kTwo, ClassNames({"a", "b"}));
  CHECK(product_of(folder / "classes.csv") == Product::detections);
  const DetectionReport found{.image = "a.png", .nuclei = kTwo};
  write_geojson(folder / "a.geojson", found), write_geojson(folder / "a.geojson.gz", found);
  write_annotation_store(folder / "a.db", found);
  for (const char* name : {"a.geojson", "a.geojson.gz", "a.db"})
    CHECK(product_of(folder / name) == Product::detections);
  write_scores_json(folder / "scores.json", {});
  CHECK(product_of(folder / "scores.json") == Product::scores);
  const ClassReport report{ClassNames({"a", "b"}), metrics::ClassScore(2)};
  write_class_scores(folder / "c.csv", report), write_confusion(folder / "d.csv", report);
  CHECK(product_of(folder / "c.csv") == Product::scores);
  CHECK(product_of(folder / "d.csv") == Product::scores);
  write_svg(folder / "chart.svg", {.title = "t", .series = {{.label = "a", .points = {{0, 0}, {1, 1}}}}});
  CHECK(product_of(folder / "chart.svg") == Product::chart);
  write_safetensors(folder / "w", {{{"nucdet.version", "0.1.0"}}, {}});
  CHECK(product_of(folder / "w") == Product::weights);
  put(folder / "g.json", R"({"nucdet": {"version": "1"}, "type": "FeatureCollection", "features": []})");
  CHECK(product_of(folder / "g.json") == Product::detections);
  put(folder / "b.json", "[\n {\n  \"format\": \"nucdet-bench-1\"\n }\n]\n");
  CHECK(product_of(folder / "b.json") == Product::figures);
  put(folder / "r.md", "<!-- nucdet 0.1.0 -->\n# Title\n");
  CHECK(product_of(folder / "r.md") == Product::report);
  put(folder / "n.dot", "// nucdet 0.1.0\ndigraph network {}\n");
  CHECK(product_of(folder / "n.dot") == Product::graph);
  put(folder / "log", "iteration,loss,rate,gradient_norm,validation_loss,f1,worst\n");
  CHECK(product_of(folder / "log") == Product::log);
}

TEST_CASE("a run that was ended between its renames leaves files that are still nucdet's") {
  const TemporaryFolder folder;
  write_result(folder, "a");
  const std::string old = contents_of(folder / "a.csv");
  AtomicFiles together;
  write_points(folder / "a.csv", std::vector<Nucleus>{{{5, 5}, 0.5f}});
  DetectionReport report{.image = "a.png"};
  report.files = together.records();
  write_detections_json(folder / "a.json", report);
  together.commit();
  CHECK(record_of(folder / "a.csv") == Record::same);
  put(folder / "a.csv", old);  // as if the process had been killed after the JSON
  CHECK(record_of(folder / "a.csv") == Record::earlier);
  put(folder / "a.csv", old + "1,2,3\n");
  CHECK(record_of(folder / "a.csv") == Record::changed);
}

TEST_CASE("a user's files are none of nucdet's, however they look") {
  const TemporaryFolder folder;
  const std::string texts[] = {
      "",
      "x,y\n1,2\n",
      "x,y,scored\n1,2,3\n",
      "x,y,class\n1,2,a\n",
      "image,annotations,organ,split,width,height,nuclei,source_id,patient,scale\n",
      "image,images\n",
      "{\"type\": \"FeatureCollection\", \"features\": []}",
      "{\"type\": \"FeatureCollection\", \"features\": [{\"properties\": {\"nucdet\": \"x\"}}]}",
      "{\"format\": \"other\"}",
      "\"format\": \"nucdet-detections-2\"",
      "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>",
      "<!-- nucdetails -->",
      "# Notes of nucdet 0.1.0\n",
      "digraph network {}\n",
      std::string("\x10\0\0\0\0\0\0\0{\"a\":1}", 15),
      "SQLite format 3",
      "\x89PNG\r\n\x1a\n",
  };
  for (const std::string& text : texts) {
    put(folder / "file", text);
    INFO(text);
    CHECK_FALSE(made_by_nucdet(folder / "file"));
  }
  write_png(folder / "tile.png", make_image(2, 2, 3));
  write_points(folder / "truth.csv", std::vector<Point>{{1, 2}});
  write_safetensors(folder / "theirs.safetensors", {{{"format", "pt"}}, {}});
  for (const char* name : {"tile.png", "truth.csv", "theirs.safetensors", "missing", "."})
    CHECK_FALSE(made_by_nucdet(folder / name));
}

TEST_CASE("the record of a result tells what somebody has worked on since") {
  const TemporaryFolder folder;
  for (const std::string stem : {"a", "a.b"}) {
    write_result(folder, stem);
    for (const char* ending : {".csv", ".json", ".overlay.png"}) {
      INFO(stem << ending);
      const auto path = folder / (stem + ending);
      CHECK(record_of(path) == Record::same);
      const std::string was = contents_of(path);
      std::string edited = was;
      edited[was.size() / 4] ^= 1;
      put(path, edited);
      // A JSON whose own format is edited away is known by nothing any more.
      if (ending != std::string(".json")) CHECK(record_of(path) == Record::changed);
      CHECK(record_of(path) != Record::same);
      put(path, was);
      CHECK(record_of(path) == Record::same);
    }
    CHECK(record_of(folder / (stem + ".geojson")) == Record::unnamed);
  }
  CHECK(record_of(folder / "b.csv") == Record::none);
  put(folder / "old.json", R"({"format": "nucdet-detections-1", "nuclei": []})");
  CHECK(record_of(folder / "old.json") == Record::unnamed);
  CHECK(record_of(folder / "old.csv") == Record::unnamed);
  put(folder / "mine.json", R"({"points": []})");
  CHECK(record_of(folder / "mine.json") == Record::none);
}

TEST_CASE("a file's hash is that of its bytes") {
  const TemporaryFolder folder;
  put(folder / "empty", "");
  CHECK(content_hash_of(folder / "empty") == "cbf29ce484222325");
  put(folder / "a", "a");
  CHECK(content_hash_of(folder / "a") == "af63dc4c8601ec8c");  // FNV-1a's own test vector
  put(folder / "long", std::string(200'000, 'a'));
  ContentHash whole;
  whole.add(std::string(200'000, 'a'));
  CHECK(content_hash_of(folder / "long") == whole.text());
  CHECK_FALSE(error_of<IoError>([&] { content_hash_of(folder / "missing"); }).empty());
}

#include <set>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"
#include "nucdet/io/geojson.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

TEST_CASE("detections as GeoJSON for QuPath") {
  const TemporaryFolder folder;
  DetectionReport report;
  report.nuclei = {{{1.25, 2}, 0.3f}, {{-0.5, 7}, 1}};
  write_geojson(folder / "d.geojson", report, "Tumour");
  CHECK(
      contents_of(folder / "d.geojson")
          .find(
              R"({"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1.75,2.5]},)"
              R"("properties":{"objectType":"detection","classification":{"name":"Tumour","color":[0,160,255]},)"
              R"("measurements":{"score":0.3}}},{)") == 0);
  write_geojson(folder / "none.geojson", {});
  CHECK(contents_of(folder / "none.geojson") == "{\"type\":\"FeatureCollection\",\"features\":[]}\n");
  CHECK_THROWS_AS(write_geojson(folder / "no" / "d.json", {}), IoError);
  report.classes = ClassNames({"stroma", "tumour"});
  report.nuclei[1].class_id = 1, report.nuclei[1].class_probability = 0.9f;
  write_geojson(folder / "c.geojson", report);
  CHECK_THAT(contents_of(folder / "c.geojson"),
             Catch::Matchers::Contains(R"("name":"Nucleus","color":[0,160,255]},"measurements":{"score":0.3}}})") &&
                 Catch::Matchers::Contains(R"("name":"tumour","color":[86,180,233]},)"
                                           R"("measurements":{"score":1.0,"class probability":0.9}}}]})"));
  const Annotations back = read_annotations(folder / "c.geojson");
  CHECK(back.points == std::vector<Point>{{1.25, 2}, {-0.5, 7}});
  CHECK(back.classes == std::vector<std::string>{"Nucleus", "tumour"});
}

TEST_CASE("points annotated in QuPath, with classes") {
  const std::string tumour =
      R"("properties":{"objectType":"annotation","classification":{"name":"Tumor","color":[200,0,0]}})";
  const std::string collection = R"({"type":"FeatureCollection","features":[
    {"type":"Feature","id":"8a","geometry":{"type":"MultiPoint","coordinates":[[10.5,20.5],[30.0,40.25]]},)" +
                                 tumour +
                                 R"(},
    {"type":"Feature","geometry":{"type":"Point","coordinates":[1.5,2.5,0]},"properties":{"objectType":"annotation"}},
    {"type":"Feature","geometry":{"type":"Point","coordinates":[3.5,4.5]},
     "properties":{"classification":{"names":["Tumor","Positive"]}}}]})";
  const Annotations found = parse_geojson(collection, "t");
  CHECK(found.points == std::vector<Point>{{10, 20}, {29.5, 39.75}, {1, 2}, {3, 4}});
  CHECK(found.classes == std::vector<std::string>{"Tumor", "Tumor", "", "Tumor: Positive"});
  const AnnotatedPoints known = numbered(found, ClassNames({"Stroma", "Tumor"}));
  CHECK(known.classes == std::vector<int>{1, 1, kUnknownClass, kUnknownClass});
  const std::string one = R"({"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}})";
  CHECK(parse_geojson(one, "t").points == std::vector<Point>{{0.5, 1.5}});
  CHECK(parse_geojson(one, "t").classes.empty());
  CHECK(parse_geojson("[" + one + "," + one + "]", "t").points.size() == 2);
  CHECK(parse_geojson("[]", "t").points.empty());
}

TEST_CASE("bad GeoJSON names file, feature and what was found") {
  const auto error = [](std::string_view text) { return error_of<IoError>([&] { parse_geojson(text, "a.geojson"); }); };
  CHECK(error("{\"type\":").find("a.geojson: byte ") == 0);
  CHECK(error("").find("is not JSON") != std::string::npos);
  for (const char* text : {"3", "{}", R"({"type":"FeatureCollection"})", R"({"type":7})", R"({"type":"Point"})"})
    CHECK(error(text) == "a.geojson: holds neither a FeatureCollection nor a Feature nor a list of them");
  CHECK(error("[1e999]") == "a.geojson: is not JSON");
  CHECK(error("[1]") == "a.geojson: feature 1 is no Feature");
  const auto feature = [](const std::string& geometry) { return R"({"type":"Feature","geometry":)" + geometry + "}"; };
  const std::string good = feature(R"({"type":"Point","coordinates":[1,2]})");
  CHECK(error("[" + good + "," + feature(R"({"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]})") + "]") ==
        "a.geojson: feature 2 has the geometry 'Polygon', wanted Point or MultiPoint");
  CHECK(error(feature("null")).find("has the geometry ''") != std::string::npos);
  for (const char* at : {"[1]", "[1,\"2\"]", "null", "[1,2e9]", "{\"x\":1}", "[null,1]"})
    CHECK(error(feature(std::string(R"({"type":"Point","coordinates":)") + at + "}")).find("two numbers") !=
          std::string::npos);
  CHECK(error(R"([{"type":"Feature"}])").find("feature 1 has the geometry ''") != std::string::npos);
}

TEST_CASE("GeoJSON cut anywhere is an error") {
  const std::string text =
      R"({"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}}]})";
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK(!error_of<IoError>([&] { parse_geojson(std::string_view(text).substr(0, length), "t"); }).empty());
}

TEST_CASE("class colours differ as long as there are seven classes") {
  std::set<std::array<std::uint8_t, 3>> colours{class_colour(kUnknownClass)};
  for (int k = 0; k < 7; ++k) colours.insert(class_colour(k));
  CHECK(colours.size() == 8);
  CHECK(class_colour(7) == class_colour(0));
}

#include <limits>
#include <set>

#include "nucdet/core/error.hpp"
#include "nucdet/io/class_colour.hpp"
#include "nucdet/io/geojson.hpp"
#include "nucdet/version.hpp"

#include "io/gzip.hpp"
#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {
/// What stands after the collection's member "nucdet".
std::string features_of(const std::filesystem::path& path) {
  const std::string text = contents_of(path);
  return text.substr(text.find("\"features\":"));
}
const std::string kPolygon = R"("geometry":{"type":"Polygon","coordinates":)";
std::string feature_of(const std::string& rest) { return R"({"type":"Feature",)" + rest + "}"; }
std::string square(double x, double y, double side) {
  const auto corner = [&](double dx, double dy) { return message('[', x + dx * side, ',', y + dy * side, ']'); };
  return '[' + corner(0, 0) + ',' + corner(1, 0) + ',' + corner(1, 1) + ',' + corner(0, 1) + ',' + corner(0, 0) + ']';
}
std::string class_of(const std::string& name) {
  return R"("properties":{"classification":{"name":")" + name + R"("}})";
}
}  // namespace

TEST_CASE("detections as GeoJSON for QuPath") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  report.model = "m.safetensors";
  report.nuclei = {{{1.25, 2}, 0.3f}, {{-0.5, 7}, 1}};
  write_geojson(folder / "d.geojson", report, {.class_name = "Tumour"});
  CHECK(contents_of(folder / "d.geojson") ==
        R"({"type":"FeatureCollection","nucdet":{"version":")" NUCDET_VERSION_STRING
        R"(","format":"nucdet-geojson-1","image":"a.png","width":320,"height":200,"model":"m.safetensors"},)"
        R"("features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1.75,2.5]},)"
        R"("properties":{"objectType":"detection","classification":{"name":"Tumour","color":[0,160,255]},)"
        R"("measurements":{"score":0.3}}},)"
        R"({"type":"Feature","geometry":{"type":"Point","coordinates":[0.0,7.5]},)"
        R"("properties":{"objectType":"detection","classification":{"name":"Tumour","color":[0,160,255]},)"
        R"("measurements":{"score":1.0}}}]})"
        "\n");
  write_geojson(folder / "none.geojson", DetectionReport{});
  CHECK(features_of(folder / "none.geojson") == "\"features\":[]}\n");
  CHECK_THROWS_AS(write_geojson(folder / "no" / "d.json", DetectionReport{}), IoError);
  report.classes = ClassNames({"stroma", "tumour"});
  report.nuclei[1].class_id = 1, report.nuclei[1].class_probability = 0.9f;
  report.pixel_size = {0.25, 0.5, "--mpp"}, report.model_hash = "00ff";
  write_geojson(folder / "c.geojson", report);
  CHECK_THAT(contents_of(folder / "c.geojson"),
             Catch::Matchers::Contains(R"("name":"Nucleus","color":[0,160,255]},"measurements":{"score":0.3}}})") &&
                 Catch::Matchers::Contains(R"("name":"tumour","color":[86,180,233]},)"
                                           R"("measurements":{"score":1.0,"class probability":0.9}}}]})") &&
                 Catch::Matchers::Contains(R"("um_per_pixel":{"x":0.25,"y":0.5,"source":"--mpp"},)"
                                           R"("model":"m.safetensors","model_hash":"00ff"},)"));
  const Annotations back = parse_geojson(contents_of(folder / "c.geojson"), "c");
  CHECK(back.points == std::vector<Point>{{1.25, 2}, {-0.5, 7}});
  CHECK(back.classes == std::vector<std::string>{"Nucleus", "tumour"});
  CHECK(back.detections);
  CHECK(back.format == "nucdet GeoJSON");
  report.nuclei[0].centre.x = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(write_geojson(folder / "c.geojson", report), ArgumentError);
  CHECK(parse_geojson(contents_of(folder / "c.geojson"), "c").points == back.points);  // as it was
}

TEST_CASE("a crop's detections in the slide, with ids that stay") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  report.nuclei = {{{1.25, 2}, 0.3f}, {{3, 7}, 1}, {{3, 7}, 0.5f}};
  write_geojson(folder / "a.geojson", report, {.offset = {1000, 2000}, .ids = true});
  const std::string text = contents_of(folder / "a.geojson");
  CHECK_THAT(text, Catch::Matchers::Contains("\"offset\":[1000.0,2000.0]}") &&
                       Catch::Matchers::Contains("\"coordinates\":[1001.75,2002.5]"));
  const auto ids = [](const std::string& from) {
    std::vector<std::string> found;
    const std::string before = R"("Feature","id":")";
    for (std::size_t at = 0; (at = from.find(before, at)) != std::string::npos; ++at)
      found.push_back(from.substr(at + before.size(), 36));
    return found;
  };
  const std::vector<std::string> first = ids(text);
  CHECK(std::set<std::string>(first.begin(), first.end()).size() == 3);
  for (const std::string& id : first) {
    CHECK(id[8] == '-');
    CHECK(id[14] == '8');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
  }
  report.nuclei.erase(report.nuclei.begin());
  write_geojson(folder / "a.geojson", report, {.ids = true});
  CHECK(ids(contents_of(folder / "a.geojson")) == std::vector<std::string>{first[1], first[2]});
  report.image = "b.png";
  write_geojson(folder / "b.geojson", report, {.ids = true});
  CHECK(ids(contents_of(folder / "b.geojson"))[0] != first[1]);
}

TEST_CASE("annotations as GeoJSON come back: points, classes, areas") {
  const TemporaryFolder folder;
  Annotations annotations;
  annotations.points = {{1, 2}, {30.5, 4}}, annotations.classes = {"", "Tumor"};
  const std::vector<Point> outer{{0, 0}, {9, 0}, {9, 9}, {0, 9}, {0, 0}}, hole{{3, 3}, {6, 3}, {6, 6}, {3, 3}},
      other{{20, 0}, {29, 0}, {29, 9}, {20, 0}};
  annotations.areas.regions = {{{outer, hole, other}}};
  annotations.areas.ignored = {{{other}}};
  write_geojson(folder / "a.geojson", annotations);
  const Annotations back = parse_geojson(contents_of(folder / "a.geojson"), "a");
  CHECK(back.points == annotations.points);
  CHECK(back.classes == annotations.classes);
  CHECK(back.areas == annotations.areas);
  CHECK(!back.detections);
  CHECK(back.format == "QuPath GeoJSON");
  // Two polygons, the first with a hole.
  CHECK_THAT(contents_of(folder / "a.geojson"),
             Catch::Matchers::Contains("[3.5,3.5]]],[[[20.5,0.5]") && !Catch::Matchers::Contains("\"nucdet\""));
  annotations.detections = true;
  write_geojson(folder / "a.geojson", annotations);
  CHECK(parse_geojson(contents_of(folder / "a.geojson"), "a").detections);
}

TEST_CASE("gzipped GeoJSON unpacks to the same") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  for (int i = 0; i < 5000; ++i) report.nuclei.push_back({{i * 0.37, i * 0.11}, 1});
  write_geojson(folder / "a.geojson", report);
  write_geojson(folder / "a.geojson.gz", report);
  const std::string packed = contents_of(folder / "a.geojson.gz"), plain = contents_of(folder / "a.geojson");
  CHECK(packed.size() < plain.size() / 5);
  CHECK(io::detail::is_gzip(packed));
  CHECK(packed.find("nucdet") < 20);  // whose it is can be told without unpacking
  CHECK(io::detail::gunzip(packed, "t", 1 << 24) == plain);
  CHECK(io::detail::gunzip(packed + packed, "t", 1 << 24) == plain + plain);
  CHECK(error_of<IoError>([&] { io::detail::gunzip(packed, "t", 1000); }) == "t: unpacks to more than 1000 bytes");
  for (const std::size_t length : {0u, 1u, 9u, 40u, 1000u})
    CHECK(error_of<IoError>([&] { io::detail::gunzip(packed.substr(0, length), "t", 1 << 24); }) ==
          "t: the compressed bytes are damaged or end early");
}

TEST_CASE("outlines are nuclei at their centroids") {
  const std::string outlines =
      "[" + feature_of(kPolygon + "[" + square(10.5, 20.5, 8) + "," + square(11, 21, 1) + "]}") + "," +
      feature_of(R"("geometry":{"type":"MultiPolygon","coordinates":[[)" + square(0.5, 0.5, 2) + "],[" +
                 square(10.5, 0.5, 4) + "]]}") +
      "," + feature_of(kPolygon + "[[[1.5,1.5],[3.5,1.5],[5.5,1.5],[1.5,1.5]]]}," + class_of("flat")) + "," +
      // A cell of QuPath: the nucleus has an outline of its own.
      feature_of(kPolygon + "[" + square(0, 0, 100) + R"(]},"nucleusGeometry":{"type":"Polygon","coordinates":[)" +
                 square(40.5, 50.5, 10) + R"(]},"properties":{"objectType":"cell"})") +
      "]";
  const Annotations found = parse_geojson(outlines, "t");
  CHECK(found.points ==
        std::vector<Point>{{14, 24}, {(1 * 4 + 12 * 16) / 20.0, (1 * 4 + 2 * 16) / 20.0}, {3, 1}, {45, 55}});
  CHECK(found.classes == std::vector<std::string>{"", "", "flat", ""});
  CHECK(found.areas.everywhere());
}

TEST_CASE("polygons of some classes are areas") {
  std::string features;
  for (const char* name : {"Region*", "region", "ROI", "Ignore*", "ignore", "Necrosis*", "Tumor"})
    features += (features.empty() ? "" : ",") +
                feature_of(kPolygon + "[" + square(0.5, 0.5, 8) + "," + square(2.5, 2.5, 2) + "]}," + class_of(name));
  const std::string star = feature_of(R"("geometry":{"type":"Point","coordinates":[1.5,2.5]},)" + class_of("Other*"));
  const Annotations found =
      parse_geojson(R"({"features":[)" + features + "," + star + R"(],"type":"FeatureCollection"})", "t");
  REQUIRE(found.areas.regions.size() == 3);
  CHECK(found.areas.ignored.size() == 3);
  CHECK(found.points == std::vector<Point>{{4, 4}, {1, 2}});
  CHECK(found.classes == std::vector<std::string>{"Tumor", "Other*"});
  CHECK(found.areas.regions[0].contains({1, 1}));
  CHECK(!found.areas.regions[0].contains({3, 3}));  // the hole
  CHECK(!found.areas.count({1, 1}));
}

TEST_CASE("GeoJSON of any shape takes bounded memory and time") {
  const auto error = [](const std::string& text) { return error_of<IoError>([&] { parse_geojson(text, "t"); }); };
  CHECK(error(std::string(1 << 20, '[')).find("deeper than 64") != std::string::npos);
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += R"({"geometry":)";
  CHECK(error("[" + nested).find("deeper than 64") != std::string::npos);
  // What is not wanted is not kept, however deep.
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  CHECK(
      parse_geojson("[" +
                        feature_of(R"("geometry":{"type":"Point","coordinates":[1,2]},"properties":{"measurements":)" +
                                   deep + "}") +
                        "]",
                    "t")
          .points.size() == 1);
  std::string wide = "{\"type\":\"Feature\",\"x\":[{}";
  for (int i = 0; i < 300000; ++i) wide += ",{}";
  CHECK(error(wide + "]}").find("geometry") != std::string::npos);
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
  CHECK(parse_geojson(R"({"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]})", "t")
            .points == std::vector<Point>{{0.5, 1.5}});
  CHECK(found.format == "QuPath GeoJSON");
  CHECK(parse_geojson(one, "t").format == "GeoJSON");
  CHECK(!found.detections);
}

TEST_CASE("an annotation that is drawn around detections is none of them; a point that was added is") {
  const auto feature = [](const std::string& geometry, const std::string& object) {
    return R"({"type":"Feature","geometry":)" + geometry + R"(,"properties":{"objectType":")" + object + R"("}})";
  };
  const std::string box = R"({"type":"Polygon","coordinates":[[[0,0],[100,0],[100,100],[0,100],[0,0]]]})";
  const std::string all = "[" + feature(box, "annotation") + "," +
                          feature(R"({"type":"Point","coordinates":[1.5,2.5]})", "detection") + "," +
                          feature(R"({"type":"Point","coordinates":[3.5,4.5]})", "annotation") + "]";
  const Annotations found = parse_geojson(all, "g");
  CHECK(found.points == std::vector<Point>{{1, 2}, {3, 4}});
  CHECK(std::any_of(found.notes.begin(), found.notes.end(),
                    [](const std::string& n) { return n.find("1 annotations beside the detections") == 0; }));
  CHECK(parse_geojson("[" + feature(box, "annotation") + "]", "g").points.size() == 1);
}

TEST_CASE("bad GeoJSON names file, feature and what was found") {
  const auto error = [](std::string_view text) { return error_of<IoError>([&] { parse_geojson(text, "a.geojson"); }); };
  CHECK(error("{\"type\":").find("a.geojson: byte ") == 0);
  CHECK(error("").find("is not JSON") != std::string::npos);
  for (const char* text :
       {"3", "{}", R"({"type":"FeatureCollection"})", R"({"type":7})", R"({"type":"FeatureCollection","features":3})"})
    CHECK(error(text) == "a.geojson: holds neither a FeatureCollection nor a Feature nor a list of them");
  CHECK(error("[1e999]") == "a.geojson: is not JSON");
  CHECK(error("[1]") == "a.geojson: feature 1 is no Feature");
  const auto feature = [](const std::string& geometry) { return R"({"type":"Feature","geometry":)" + geometry + "}"; };
  const std::string good = feature(R"({"type":"Point","coordinates":[1,2]})");
  CHECK(error("[" + good + "," + feature(R"({"type":"LineString","coordinates":[[0,0],[1,0]]})") + "]") ==
        "a.geojson: feature 2 has the geometry 'LineString', wanted Point, MultiPoint, Polygon or MultiPolygon");
  for (const char* bad : {"null", "[]", "[[]]", "[null]", "[[[0,0],[1,2,3],[\"\"]]]", "[[[1e10,0]]]"})
    CHECK(error("[" + good + "," + feature(std::string(R"({"type":"Polygon","coordinates":)") + bad + "}") + "]")
              .find("a.geojson: feature 2 has ") == 0);
  CHECK(error(feature(R"({"type":"MultiPolygon","coordinates":[]})")).find("no polygon") != std::string::npos);
  CHECK(error(R"({"type":"Point"})").find("feature 1 has coordinates") != std::string::npos);
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

TEST_CASE("what QuPath keeps for its own work is no nucleus, and a large outline is told") {
  const auto feature = [](const char* object, const char* geometry, const char* class_name) {
    return message(R"({"type":"Feature","geometry":)", geometry, R"(,"properties":{"objectType":")", object,
                   R"(","classification":{"name":")", class_name, R"("}}})");
  };
  const char* square = R"({"type":"Polygon","coordinates":[[[0,0],[300,0],[300,300],[0,300],[0,0]]]})";
  const char* dot = R"({"type":"Point","coordinates":[3,4]})";
  const Annotations found =
      parse_geojson(message('[', feature("root", square, "a"), ',', feature("tma_core", square, "a"), ',',
                            feature("tile", square, "a"), ',', feature("annotation", dot, "Ignore*"), ',',
                            feature("annotation", dot, "a"), ',', feature("annotation", square, "b"), ']'),
                    "t");
  CHECK(found.points == std::vector<Point>{{2.5, 3.5}, {149.5, 149.5}});
  REQUIRE(found.notes.size() == 2);
  CHECK_THAT(found.notes[0], Catch::Matchers::StartsWith("4 objects are no nuclei"));
  CHECK_THAT(found.notes[1], Catch::Matchers::StartsWith("1 outlines of more than"));
}

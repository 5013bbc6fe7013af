#include <limits>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/version.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {
std::string without_spaces(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
  return text;
}
/// Of what stands before the record of hashes.
std::string own_hash(const std::string& json) {
  ContentHash hash;
  hash.add(json.substr(0, json.rfind(",\n \"files\": {")));
  return hash.text();
}
}  // namespace

TEST_CASE("detections as JSON") {
  const TemporaryFolder folder;
  DetectionReport report{"a\"b.png", 320, 200, 0.7};
  report.model = "m";
  report.normalization = "fixed", report.statistics = {{0.7f, 0.5f, 1}, {0.1f, 0.2f, 0.3f}};
  report.threshold = 0.3f, report.xi = 0.45, report.full_scale = 5, report.tile = 1024, report.average = 8;
  report.nuclei = {{{1.25, 2}, 0.3f}, {{-0.5, 7}, 1}};
  write_detections_json(folder / "d.json", report);
  CHECK(
      without_spaces(contents_of(folder / "d.json")) ==
      R"({"format":"nucdet-detections-2","nucdet_version":")" NUCDET_VERSION_STRING
      R"(","image":"a\"b.png","width":320,"height":200,"scale":0.7,"model":"m",)"
      R"("normalization":{"rule":"fixed","mean":[0.7,0.5,1.0],"deviation":[0.1,0.2,0.3]},"threshold":0.3,"xi":0.45,)"
      R"("full_scale":5.0,"tile":1024,"average":8,"count":2,"nuclei":[{"x":1.25,"y":2.0,"score":0.3},{"x":-0.5,"y":7.0,"score":1.0}],)"
      R"("files":{"d.json":")" +
          own_hash(contents_of(folder / "d.json")) + "\"}}");
  report.classes = ClassNames({"stroma", "tumour"});
  report.nuclei[1].class_id = 1, report.nuclei[1].class_probability = 0.9f;
  write_detections_json(folder / "c.json", report);
  CHECK_THAT(without_spaces(contents_of(folder / "c.json")),
             Catch::Matchers::Contains(
                 R"("average":8,"classes":["stroma","tumour"],"class_counts":[0,1],"count":2,)"
                 R"("nuclei":[{"x":1.25,"y":2.0,"score":0.3},)"
                 R"({"x":-0.5,"y":7.0,"score":1.0,"class":"tumour","class_probability":0.9}],"files":)"));
  report.pixel_size = {0.5, 0.25, "Aperio MPP"}, report.model_hash = "0f", report.area_mm2 = 0.125,
  report.files = {{"e.csv", "12"}, {"f.csv", "34"}};
  report.nuclei.clear();
  write_detections_json(folder / "e.json", report);
  CHECK_THAT(
      without_spaces(contents_of(folder / "e.json")),
      Catch::Matchers::Contains(
          R"("scale":0.7,"um_per_pixel":{"x":0.5,"y":0.25,"source":"AperioMPP"},"model":"m","model_hash":"0f",)") &&
          Catch::Matchers::Contains(
              R"("average":8,"area_mm2":0.125,"classes":["stroma","tumour"],"class_counts":[0,0],"count":0,"nuclei":[],)"
              R"("files":{"e.csv":"12","e.json":")" +
              own_hash(contents_of(folder / "e.json")) + R"(","f.csv":"34"}})"));
}

TEST_CASE("nucdet's JSON is read back, and known as its own") {
  const TemporaryFolder folder;
  DetectionReport report{"a.png", 320, 200};
  report.nuclei = {{{1.25, 2}, 0.3f}, {{-0.5, 7}, 1}};
  write_detections_json(folder / "d.json", report);
  Annotations back = parse_detections_json(contents_of(folder / "d.json"), "d");
  CHECK(back.points == std::vector<Point>{{1.25, 2}, {-0.5, 7}});
  CHECK(back.classes.empty());
  CHECK(back.detections);
  CHECK(back.format == "nucdet JSON");
  // Of a host program: no model, so no settings of one.
  CHECK_THAT(without_spaces(contents_of(folder / "d.json")),
             Catch::Matchers::Contains(R"("image":"a.png","width":320,"height":200,"count":2,"nuclei")"));
  report.classes = ClassNames({"stroma", "a \"b\""});
  report.nuclei[1].class_id = 1;
  write_detections_json(folder / "d.json", report);
  back = parse_detections_json(contents_of(folder / "d.json"), "d");
  CHECK(back.classes == std::vector<std::string>{"", "a \"b\""});
  CHECK(is_detections_json(contents_of(folder / "d.json")));
  CHECK(!is_detections_json(R"({"type":"FeatureCollection","features":[]})"));
  CHECK(parse_detections_json(R"({"nuclei":[{"x":1,"y":2}],"format":"nucdet-detections-1"})", "d").points ==
        std::vector<Point>{{1, 2}});
}

TEST_CASE("bad JSON of detections names what was found") {
  const auto error = [](std::string_view text) { return error_of<IoError>([&] { parse_detections_json(text, "d"); }); };
  CHECK(error("{\"nuclei\":").find("d: byte ") == 0);
  CHECK(error("{}").find("d: its \"format\" is missing, wanted") == 0);
  CHECK(error("[]").find("missing") != std::string::npos);
  CHECK(error(R"({"format":"nucdet-detections-9","nuclei":[]})").find("nucdet-detections-9") != std::string::npos);
  CHECK(error(R"({"format":"nucdet-detections-2"})") == "d: has no list \"nuclei\"");
  CHECK(error(R"({"format":"nucdet-detections-2","nuclei":{}})") == "d: has no list \"nuclei\"");
  for (const char* bad : {"1", "{}", R"({"x":1})", R"({"x":1,"y":"2"})", R"({"x":1,"y":1e10})", "null", "[1,2]"})
    CHECK(error(std::string(R"({"format":"nucdet-detections-2","nuclei":[{"x":1,"y":2},)") + bad + "]}")
              .find("d: nucleus 2: ") == 0);
}

TEST_CASE("scores as JSON, undefined ones as null") {
  const TemporaryFolder folder;
  ScoreReport report;
  report.data = "tiny", report.model = "m", report.matcher = "hungarian", report.gate = 16, report.xi = 0.5,
  report.threshold = 0.3f;
  report.pooled = {"all", 2, 10, 9, 8, 8 / 9.0, 0.8, 0.84, 2.5, 1.25};
  report.mean_organ_f1 = 0.75;
  report.organs = {report.pooled, report.pooled};
  report.organs[1].name = "liver", report.organs[1].f1 = std::numeric_limits<double>::quiet_NaN();
  report.curve_over = "xi";
  report.curve = {{0.1, 0.2, 0.9, 0.33}};
  write_scores_json(folder / "scores.json", report);
  const std::string text = without_spaces(contents_of(folder / "scores.json"));
  const std::string row =
      R"("images":2,"truths":10,"detections":9,"hits":8,"precision":0.8888888888888888,"recall":0.8,)";
  CHECK_THAT(
      text,
      Catch::Matchers::StartsWith(
          R"({"format":"nucdet-scores-2","data":"tiny","model":"m","matcher":"hungarian","gate":16.0,"threshold":0.3,"xi":0.5,)"
          R"("pooled":{"name":"all",)" +
          row +
          R"("f1":0.84,"distance_mean":2.5,"distance_deviation":1.25},)"
          R"("mean_organ_f1":0.75,"organs":[{"name":"all",)" +
          row + R"("f1":0.84,"distance_mean":2.5,"distance_deviation":1.25},{"name":"liver",)" + row +
          R"("f1":null,"distance_mean":2.5,"distance_deviation":1.25}],"images":[],)"
          R"("curve_over":"xi","curve":[{"at":0.1,"precision":0.2,"recall":0.9,"f1":0.33}],"files":{"scores.json":")"));
  CHECK(record_of(folder / "scores.json") == Record::same);
  report.classes = ClassReport{ClassNames({"a", "b"}), metrics::ClassScore(2)};
  report.classes->score.add({{{0, 0, 1.0}, {1, 1, 1.0}}, 2, 3}, std::vector{0, 0}, std::vector{0, 1, 1});
  write_scores_json(folder / "c.json", report);
  CHECK_THAT(
      without_spaces(contents_of(folder / "c.json")),
      Catch::Matchers::Contains(
          R"("f1":0.33}],"mean_class_f1":0.3333333333333333,"classes":[{"name":"a","truths":1,"detections":2,"hits":1,)"
          R"("precision":0.5,"recall":1.0,"f1":0.6666666666666666},{"name":"b","truths":2,"detections":0,"hits":0,)"
          R"("precision":1.0,"recall":0.0,"f1":0.0}],"confusion":[[1,0,0,0],[1,0,0,1],[0,0,0,0],[0,0,0,0]],"files")"));
}

TEST_CASE("JSON of a name that is not UTF-8 is still JSON; a file that cannot be written is an error") {
  const TemporaryFolder folder;
  DetectionReport report;
  report.image = "\xFF.png";
  write_detections_json(folder / "d.json", report);
  CHECK(contents_of(folder / "d.json").find("\"image\": \"\xEF\xBF\xBD.png\"") != std::string::npos);
  CHECK_THROWS_AS(write_detections_json(folder / "no" / "d.json", {}), IoError);
}

#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/io/json.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {
std::string without_spaces(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
  return text;
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
      R"({"format":"nucdet-detections-2","image":"a\"b.png","width":320,"height":200,"scale":0.7,"model":"m",)"
      R"("normalization":{"rule":"fixed","mean":[0.7,0.5,1.0],"deviation":[0.1,0.2,0.3]},"threshold":0.3,"xi":0.45,)"
      R"("full_scale":5.0,"tile":1024,"average":8,"count":2,"nuclei":[{"x":1.25,"y":2.0,"score":0.3},{"x":-0.5,"y":7.0,"score":1.0}]})");
  report.classes = ClassNames({"stroma", "tumour"});
  report.nuclei[1].class_id = 1, report.nuclei[1].class_probability = 0.9f;
  write_detections_json(folder / "c.json", report);
  CHECK_THAT(without_spaces(contents_of(folder / "c.json")),
             Catch::Matchers::Contains(
                 R"("average":8,"classes":["stroma","tumour"],"count":2,"nuclei":[{"x":1.25,"y":2.0,"score":0.3},)"
                 R"({"x":-0.5,"y":7.0,"score":1.0,"class":"tumour","class_probability":0.9}]})"));
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
  write_scores_json(folder / "s.json", report);
  const std::string text = without_spaces(contents_of(folder / "s.json"));
  const std::string row =
      R"("images":2,"truths":10,"detections":9,"hits":8,"precision":0.8888888888888888,"recall":0.8,)";
  CHECK(
      text ==
      R"({"format":"nucdet-scores-2","data":"tiny","model":"m","matcher":"hungarian","gate":16.0,"threshold":0.3,"xi":0.5,)"
      R"("pooled":{"name":"all",)" +
          row +
          R"("f1":0.84,"distance_mean":2.5,"distance_deviation":1.25},)"
          R"("mean_organ_f1":0.75,"organs":[{"name":"all",)" +
          row + R"("f1":0.84,"distance_mean":2.5,"distance_deviation":1.25},{"name":"liver",)" + row +
          R"("f1":null,"distance_mean":2.5,"distance_deviation":1.25}],"images":[],)"
          R"("curve_over":"xi","curve":[{"at":0.1,"precision":0.2,"recall":0.9,"f1":0.33}]})");
  report.classes = ClassReport{ClassNames({"a", "b"}), metrics::ClassScore(2)};
  report.classes->score.add({{{0, 0, 1.0}, {1, 1, 1.0}}, 2, 3}, std::vector{0, 0}, std::vector{0, 1, 1});
  write_scores_json(folder / "c.json", report);
  CHECK_THAT(
      without_spaces(contents_of(folder / "c.json")),
      Catch::Matchers::Contains(
          R"("f1":0.33}],"mean_class_f1":0.3333333333333333,"classes":[{"name":"a","truths":1,"detections":2,"hits":1,)"
          R"("precision":0.5,"recall":1.0,"f1":0.6666666666666666},{"name":"b","truths":2,"detections":0,"hits":0,)"
          R"("precision":1.0,"recall":0.0,"f1":0.0}],"confusion":[[1,0,0,0],[1,0,0,1],[0,0,0,0],[0,0,0,0]]})"));
}

TEST_CASE("JSON of a name that is not UTF-8 is still JSON; a file that cannot be written is an error") {
  const TemporaryFolder folder;
  DetectionReport report;
  report.image = "\xFF.png";
  write_detections_json(folder / "d.json", report);
  CHECK(contents_of(folder / "d.json").find("\"image\": \"\xEF\xBF\xBD.png\"") != std::string::npos);
  CHECK_THROWS_AS(write_detections_json(folder / "no" / "d.json", {}), IoError);
}

#include <algorithm>
#include <limits>
#include <memory>

#include "nucdet/core/watch.hpp"
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/models/training.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;

namespace {

/// Six images of tissue; the classes, by turns, are an option.
void write_tissue(const std::filesystem::path& folder, bool classes) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto made = data::synthesize({.height = 80, .width = 80, .seed = 30 + i});
    std::string points = classes ? "x,y,class\n" : "x,y\n";
    bool even = false;
    for (const Point& p : made.points) {
      points += message(p.x, ',', p.y);
      if (classes) points += even ? ",round" : ",\"long, thin\"";
      points += '\n', even = !even;
    }
    const std::string name = "t" + std::to_string(i);
    put(folder / (name + ".csv"), points);
    io::write_png(folder / (name + ".png"), made.image);
  }
}

models::TrainingConfiguration small(const TemporaryFolder& folder, const std::string& run) {
  models::TrainingConfiguration c;
  c.manifests = {(folder / "tissue").string()}, c.out = (folder / run).string();
  c.network.base = 4, c.iterations = 12, c.validate_every = 5, c.crop = 48, c.batch = 2, c.least_nuclei = 1;
  return c;
}

train::Validation run(const models::TrainingConfiguration& c, const models::TrainingWatch& watch = {}) {
  Context<Cpu> context({.threads = 1, .seed = c.seed});
  return models::train_network(context, c, watch);
}

}  // namespace

TEST_CASE("a training from a configuration leaves weights, a checkpoint and a log, and tells what it does") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", false);
  std::vector<std::int64_t> steps, validations;
  std::string notes;
  models::TrainingWatch watch;
  watch.on_step = [&](const train::StepReport& report) { steps.push_back(report.iteration); };
  watch.on_validation = [&](const train::Validation& found) { validations.push_back(found.iteration); };
  watch.on_note = [&](const std::string& note) { notes += note + '\n'; };
  const train::Validation best = run(small(folder, "run"), watch);
  CHECK(steps.size() == 12);
  CHECK(validations == std::vector<std::int64_t>{5, 10, 12});
  CHECK_THAT(notes, Contains("held out") && Contains("micronet-lite"));
  CHECK(best.iteration > 0);
  for (const char* name : {"last.safetensors", "log.csv", "loss.svg", "f1.svg"})
    CHECK(std::filesystem::exists(folder / "run" / name));
  Context<Cpu> context({.threads = 1});
  const auto loaded = models::load_model(context, folder / "run" / "best.safetensors");
  CHECK(loaded.metadata.at("network.base") == "4");
  CHECK_THROWS_WITH(run(small(folder, "run")), Contains("there already"));
}

TEST_CASE("a stopped training goes on to the same bytes") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", false);
  run(small(folder, "whole"));
  for (const std::int64_t moment : {3, 5, 8}) {
    models::TrainingConfiguration c = small(folder, "stopped");
    c.resume = true;
    std::stop_source source;
    models::TrainingWatch watch{.stop = source.get_token()};
    watch.on_step = [&](const train::StepReport& report) {
      if (report.iteration == moment) source.request_stop();
    };
    CHECK_THROWS_AS(run(c, watch), Stopped);
    Context<Cpu> context({.threads = 1});
    CHECK_NOTHROW(models::load_model(context, folder / "stopped" / "last.safetensors"));  // a model, too
  }
  models::TrainingConfiguration c = small(folder, "stopped");
  c.resume = true;
  run(c);
  for (const char* name : {"best.safetensors", "last.safetensors", "log.csv", "f1.svg"})
    CHECK(contents_of(folder / "whole" / name) == contents_of(folder / "stopped" / name));
}

TEST_CASE("a training that is stopped within a validation makes it when it goes on, to the same bytes") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", false);
  run(small(folder, "whole"));
  models::TrainingConfiguration c = small(folder, "stopped");
  c.resume = true;
  Context<Cpu> context({.threads = 1, .seed = c.seed});
  const models::TrainingData data = models::load_training_data(context, c);
  for (const std::int64_t moment : {5, 10, 12}) {
    for (const bool again : {false, true}) {  // by the second stop there is nothing but this validation to be made
      CAPTURE(moment, again);
      std::stop_source source;
      models::TrainingWatch watch{.stop = source.get_token()};
      std::int64_t steps = -1;
      std::vector<std::int64_t> validations;
      watch.on_step = [&](const train::StepReport& report) { steps = report.iteration; };
      watch.on_validation = [&](const train::Validation& found) { validations.push_back(found.iteration); };
      watch.on_image = [&] {
        if (steps == moment || again) source.request_stop();
      };
      Context<Cpu> fresh({.threads = 1, .seed = c.seed});
      CHECK_THROWS_WITH(models::train_network_on(fresh, c, data, watch),
                        Contains(message("after iteration ", moment, " of 12, before its validation")));
      CHECK(std::count(validations.begin(), validations.end(), moment) == 0);
    }
  }
  std::vector<std::int64_t> validations;
  models::TrainingWatch watch;
  watch.on_validation = [&](const train::Validation& found) { validations.push_back(found.iteration); };
  models::train_network_on(context, c, data, watch);
  CHECK(validations == std::vector<std::int64_t>{12});
  for (const char* name : {"best.safetensors", "last.safetensors", "log.csv", "f1.svg"})
    CHECK(contents_of(folder / "whole" / name) == contents_of(folder / "stopped" / name));
}

TEST_CASE("classes are learnt from points that have them, and told in log and file; or left out") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", true);
  models::TrainingConfiguration c = small(folder, "classes");
  CHECK_THROWS_WITH(run(c), Contains("2 classes") && Contains("micronet-lite"));  // base 4 has no classes
  c.network.base = 8;
  CHECK(run(c).class_f1 >= 0);
  CHECK_THAT(contents_of(folder / "classes" / "log.csv"), Contains("best,class_f1"));
  Context<Cpu> context({.threads = 1});
  CHECK(models::load_detector(context, folder / "classes" / "best.safetensors").classes() ==
        std::vector<std::string>{"long, thin", "round"});
  c.resume = true, c.iterations = 12;
  CHECK(run(c).class_f1 >= 0);  // nothing is left to do
  models::TrainingConfiguration without = small(folder, "without");
  without.classes = false;
  CHECK(run(without).class_f1 < 0);
}

TEST_CASE("a run of a schedule that does not know its end may be made longer; a damaged log is named") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", false);
  models::TrainingConfiguration c = small(folder, "run");
  c.schedule = "constant", c.iterations = 20;
  run(c);
  c.iterations = 60, c.validate_every = 20, c.resume = true;
  CHECK_THROWS_WITH(run(c), Contains("train.validate_every"));
  c.validate_every = 5;
  std::int64_t steps = 0;
  models::TrainingWatch watch;
  watch.on_step = [&](const train::StepReport&) { ++steps; };
  run(c, watch);
  CHECK(steps == 40);
  std::string log = contents_of(folder / "run" / "log.csv");
  log.replace(log.find("\n10,") + 1, 2, "1o");
  put(folder / "run" / "log.csv", log);
  c.iterations = 80;
  CHECK_THROWS_WITH(run(c), Contains("log.csv") && Contains("'1o'"));
}

TEST_CASE("classes of data that are none of those named, or not there to validate with, are refused or told") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", true);
  models::TrainingConfiguration c = small(folder, "x");
  c.network.base = 8;
  Context<Cpu> context({.threads = 1, .seed = c.seed});
  const models::TrainingData data = models::load_training_data(context, c);
  const auto refused = [&](auto&& change) {
    models::TrainingData changed = data;
    models::TrainingConfiguration asked = c;
    change(changed, asked);
    return error_of<ArgumentError>([&] { models::train_network_on(context, asked, changed); });
  };
  CHECK_THAT(refused([](auto& d, auto&) { d.target[0].classes[0] = 15; }), Contains("class 15 of 2"));
  CHECK_THAT(refused([](auto& d, auto&) { d.classes = ClassNames({"one"}); }), Contains("one class"));
  CHECK_THAT(refused([](auto& d, auto&) { d.validation.clear(); }), Contains("to validate with"));
  CHECK_THAT(refused([](auto& d, auto&) { d.target.clear(); }), Contains("to train on"));
  CHECK_THAT(refused([](auto&, auto& o) { o.seed = 77; }), Contains("77"));
  CHECK_THAT(refused([](auto& d, auto& o) {
               for (data::Sample& s : d.validation) s.classes.clear();
               o.best = "classes";
             }),
             Contains("no nucleus to validate with"));
  CHECK(!std::filesystem::exists(folder / "x"));  // nothing was left behind

  put(folder / "tissue" / "manifest.csv", "image,annotations,split\nt0.png,t0.csv,train\nt1.png,t1.csv,val\n");
  std::string points = contents_of(folder / "tissue" / "t1.csv");
  for (std::size_t at = points.find("round"); at != std::string::npos; at = points.find("round", at))
    points.replace(at, 5, "Round");
  put(folder / "tissue" / "t1.csv", points);
  std::string notes;
  models::TrainingWatch watch;
  watch.on_note = [&](const std::string& note) { notes += note; };
  models::load_training_data(context, c, watch);
  CHECK_THAT(notes, Contains("'Round'") && Contains("detection only"));
}

TEST_CASE("reading data is followed image by image, and ends where it is asked to") {
  const TemporaryFolder folder;
  write_tissue(folder / "tissue", false);
  const models::TrainingConfiguration c = small(folder, "x");
  Context<Cpu> context({.threads = 1, .seed = c.seed});
  int images = 0;
  models::TrainingWatch watch;
  watch.on_image = [&] { ++images; };
  const models::TrainingData data = models::load_training_data(context, c, watch);
  CHECK(images == static_cast<int>(data.target.size() + data.validation.size()));
  std::stop_source stop;
  watch.stop = stop.get_token(), watch.on_image = [&] { stop.request_stop(); };
  CHECK_THROWS_AS(models::load_training_data(context, c, watch), Stopped);
}

TEST_CASE("a configuration's words and numbers are checked before anything is read") {
  const TemporaryFolder folder;
  const auto refused = [&](auto&& change) {
    models::TrainingConfiguration c = small(folder, "x");
    change(c);
    return error_of<ArgumentError>([&] { check(c); });
  };
  CHECK(refused([](auto&) {}).empty());
  CHECK_THAT(refused([](auto& c) { c.optimizer = "adamv"; }), Contains("adamv") && Contains("adamw"));
  CHECK_THAT(refused([](auto& c) { c.loss = "mse"; }), Contains("mse"));
  CHECK_THAT(refused([](auto& c) { c.label = "dot"; }), Contains("dot"));
  CHECK_THAT(refused([](auto& c) { c.schedule = ""; }), Contains("plateau"));
  CHECK_THAT(refused([](auto& c) { c.normalization = "none"; }), Contains("none"));
  CHECK_THAT(refused([](auto& c) { c.best = "F1"; }), Contains("F1"));
  CHECK_THAT(refused([](auto& c) { c.iterations = 0; }), Contains("iterations"));
  CHECK_THAT(refused([](auto& c) { c.batch = -1; }), Contains("batch"));
  CHECK_THAT(refused([](auto& c) { c.rate = std::numeric_limits<double>::quiet_NaN(); }), Contains("rate"));
  CHECK_THAT(refused([](auto& c) { c.average = 1; }), Contains("average"));
  CHECK_THAT(refused([](auto& c) { c.out = ""; }), Contains("folder"));
  CHECK_THAT(refused([](auto& c) { c.radius = 0; }), Contains("radius"));
  CHECK_THAT(refused([](auto& c) { c.warmup = -1; }), Contains("warmup"));
  CHECK_THAT(refused([](auto& c) { c.label = "gaussian", c.loss = "cross-entropy"; }), Contains("disc"));
  CHECK_THAT(refused([](auto& c) { c.optimizer = "sgd", c.momentum = 1; }), Contains("momentum"));
  CHECK_THAT(refused([](auto& c) { c.best = "classes", c.classes = false; }), Contains("left out"));
  CHECK_THROWS_AS(models::apply_preset(*std::make_unique<models::TrainingConfiguration>(), "quick"), ArgumentError);
}

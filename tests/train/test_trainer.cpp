#include <cstring>
#include <filesystem>

#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using Net = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cpu>;
using Weighted = std::tuple<train::Task<loss::WeightedSquaredError, label::ProximityMap>>;
using WeightedTrainer = train::Trainer<Weighted>;

namespace {

/// Dark discs on a bright ground, with their centres.
data::Dataset discs(Context<Cpu>& context, std::size_t images, std::uint64_t seed) {
  data::Dataset set;
  for (std::size_t k = 0; k < images; ++k) {
    RandomStream random{seed, k};
    Image image = make_image(80, 96, 3, 0.85f);
    std::vector<Point> points;
    for (int i = 0; i < 6; ++i) {
      const Point p{random.uniform(8, 88), random.uniform(8, 72)};
      points.push_back(p);
      for (std::size_t y = 0; y < 80; ++y)
        for (std::size_t x = 0; x < 96; ++x)
          if (squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}) < 36)
            for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = 0.2f + 0.1f * static_cast<float>(c);
    }
    set.push_back(data::make_sample(context, image, points, 1.0, "discs " + std::to_string(k), k % 2 == 0 ? "a" : "b"));
  }
  return set;
}

data::CropSampler small_crops() { return {.crop = 48, .batch = 2, .augmentation = {}, .seed = 5}; }

std::vector<float> weights_of(Net& net) {
  std::vector<float> all;
  for (auto* buffer : {&net.parameters()->values(), &net.parameters()->statistics()})
    all.insert(all.end(), buffer->view<float>().data, buffer->view<float>().data + buffer->shape().count());
  return all;
}

train::TrainSettings settings(std::int64_t iterations, std::int64_t every = 5) {
  train::TrainSettings s;
  s.iterations = iterations, s.validate_every = every;
  return s;
}

/// Loss as the F1's stand-in, so that no detection is needed.
struct NoValidation {
  train::Validation operator()(const nn::Model<Cpu>&) const { return {.loss = 1.0}; }
};

std::vector<float> train_through(int threads, std::int64_t iterations) {
  Context<Cpu> context({.threads = threads, .seed = 3});
  const data::Dataset set = discs(context, 4, 1);
  Net net(context);
  WeightedTrainer trainer(net, {}, {}, small_crops(), settings(iterations));
  trainer.fit({set}, NoValidation{});
  return weights_of(net);
}

}  // namespace

TEST_CASE("training is the same bit for bit: again, and with one, two and five threads") {
  const std::vector<float> first = train_through(1, 6);
  CHECK(first == train_through(1, 6));
  CHECK(first == train_through(2, 6));
  CHECK(first == train_through(5, 6));
  CHECK(first != train_through(1, 5));
}

TEST_CASE("a run restored from any checkpoint ends in the weights of the uninterrupted run") {
  const std::vector<float> whole = train_through(2, 8);
  const auto path = std::filesystem::temp_directory_path() / "nucdet_test_checkpoint.safetensors";
  for (const std::int64_t stop : {1, 4, 7}) {
    {
      Context<Cpu> context({.threads = 2, .seed = 3});
      const data::Dataset set = discs(context, 4, 1);
      Net net(context);
      WeightedTrainer trainer(net, {}, {}, small_crops(), settings(8));
      for (std::int64_t i = 0; i < stop; ++i) trainer.step({set});
      train::save_checkpoint(path, trainer, {{"network", "test"}});
    }
    Context<Cpu> context({.threads = 2, .seed = 3});
    const data::Dataset set = discs(context, 4, 1);
    Net net(context);
    WeightedTrainer trainer(net, {}, {}, small_crops(), settings(8));
    io::SafeTensorFile kept = io::read_safetensors(path), earlier = kept;
    std::erase_if(earlier.tensors, [](const io::SafeTensor& t) { return t.name == "state/validated"; });
    train::restore_checkpoint(earlier, "a checkpoint of version 0.1", trainer);
    CHECK(trainer.state().validated == stop);
    train::restore_checkpoint(kept, path.string(), trainer);
    CHECK((trainer.state().iteration == stop && trainer.state().validated == -1));
    trainer.fit({set}, NoValidation{});
    CHECK(weights_of(net) == whole);
  }
  std::filesystem::remove(path);
}

TEST_CASE("a checkpoint of another network is refused and changes nothing") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 1}>, 3, Cpu> small(context);
  Net net(context);
  WeightedTrainer from(small, {}, {}, small_crops(), settings(8)), to(net, {}, {}, small_crops(), settings(8));
  const auto path = std::filesystem::temp_directory_path() / "nucdet_test_other.safetensors";
  train::save_checkpoint(path, from, {});
  const std::vector<float> before = weights_of(net);
  CHECK_THROWS_WITH(train::restore_checkpoint(io::read_safetensors(path), "other", to),
                    Catch::Matchers::Contains("'optimizer'"));
  io::SafeTensorFile weights_only;
  io::append_weights(net, weights_only);
  CHECK_THROWS_AS(train::restore_checkpoint(weights_only, "weights", to), IoError);
  CHECK(weights_of(net) == before);
  std::filesystem::remove(path);
}

TEST_CASE("the loss falls, and validation finds the discs", "[long]") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  const data::Dataset set = discs(context, 6, 1), held_out = discs(context, 2, 2);
  Net net(context);
  train::TrainSettings s = settings(120, 60);
  s.rate.schedule = optim::Constant{.rate = 1e-2};
  WeightedTrainer trainer(net, {}, {}, small_crops(), s);
  std::vector<double> losses;
  std::vector<train::Validation> found;
  struct Record {
    std::vector<double>& losses;
    std::vector<train::Validation>& found;
    void on_step(const train::StepReport& r) { losses.push_back(r.loss); }
    void on_validation(const train::Validation& v) { found.push_back(v); }
  };
  trainer.fit(
      {set},
      [&](const nn::Model<Cpu>& m) {
        return train::validate(m, loss::WeightedSquaredError{}, label::ProximityMap{}, held_out, {.least_nuclei = 1});
      },
      Record{losses, found});
  REQUIRE(losses.size() == 120);
  REQUIRE(found.size() == 2);
  const auto mean = [&](std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += losses[i];
    return sum / static_cast<double>(to - from);
  };
  CHECK(mean(100, 120) < 0.6 * mean(0, 20));
  CHECK(found[1].f1 > 0.6);
  CHECK(trainer.state().best.iteration > 0);
}

TEST_CASE("the moving average is what is validated and kept, start weights too; a checkpoint brings it back") {
  const auto path = std::filesystem::temp_directory_path() / "nucdet_test_average.safetensors";
  struct Kept {
    Net& net;
    std::vector<std::vector<float>> validated;
    std::vector<std::int64_t> iterations;
    void on_weights(const train::Validation& v) {
      validated.push_back(weights_of(net)), iterations.push_back(v.iteration);
    }
  };
  const auto run = [&](std::int64_t stop) {
    Context<Cpu> context({.threads = 2, .seed = 3});
    const data::Dataset set = discs(context, 4, 1);
    Net net(context);
    train::TrainSettings s = settings(6, 3);
    s.average = 0.9, s.validate_start = true;
    Kept kept{net, {}, {}};
    {
      WeightedTrainer trainer(net, {}, {}, small_crops(), s);
      if (stop == 0) trainer.fit({set}, NoValidation{}, kept);
      for (std::int64_t i = 0; i < stop; ++i) trainer.step({set});
      if (stop > 0) train::save_checkpoint(path, trainer, {});
    }
    if (stop > 0) {
      WeightedTrainer trainer(net, {}, {}, small_crops(), s);
      train::restore_checkpoint(io::read_safetensors(path), path.string(), trainer);
      trainer.fit({set}, NoValidation{}, kept);
    }
    return std::pair(kept, weights_of(net));
  };
  const auto [whole, last] = run(0);
  CHECK(whole.iterations == std::vector<std::int64_t>{0, 3, 6});
  CHECK(whole.validated[2] != last);  // the weights themselves went on
  const auto [resumed, again] = run(4);
  CHECK(again == last);
  CHECK(resumed.validated.back() == whole.validated.back());
  std::filesystem::remove(path);
}

TEST_CASE("the average follows the weights by the step's share, early steps by more") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  Net net(context);
  const View<float> values = net.parameters()->values().view<float>();
  ops::fill(context, 0.0f, values);
  train::WeightAverage<Cpu> average(net, 0.99);
  ops::fill(context, 1.0f, values);
  average.update(0);
  CHECK(average.numbers()[0] == Approx(0.9));  // 1 / 10 is kept
  average.update(1);
  CHECK(average.numbers()[0] == Approx(1 - 0.1 * 2 / 11));
  average.update(100000);
  CHECK(average.numbers()[0] == Approx(1 - 0.1 * 2 / 11 * 0.99));
}

TEST_CASE("the weights are the model's again after a validation that throws") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 2, 1);
  Net net(context);
  train::TrainSettings s = settings(2, 2);
  s.average = 0.9;
  WeightedTrainer trainer(net, {}, {}, small_crops(), s);
  std::vector<float> seen;
  const auto fail = [&](const nn::Model<Cpu>&) -> train::Validation {
    seen = weights_of(net);
    throw IoError("the disk is full");
  };
  CHECK_THROWS_AS(trainer.fit({set}, fail), IoError);
  CHECK(weights_of(net) != seen);
  const std::vector<float> average = trainer.average();
  CHECK(std::equal(seen.begin(), seen.end(), average.begin()));
}

TEST_CASE("training stops when nothing better came for long enough") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 2, 1);
  train::TrainSettings s = settings(100, 2);
  const auto stopped = [&](std::int64_t after) {
    Net net(context);
    s.stop_after = after;
    WeightedTrainer trainer(net, {}, {}, small_crops(), s);
    trainer.fit({set}, NoValidation{});  // the first validation stays the best, at iteration 2
    return trainer.state().iteration;
  };
  CHECK(stopped(6) == 8);
  CHECK(stopped(5) == 8);  // never between validations: what was trained is looked at
  s.average = 1;
  CHECK_THROWS_AS(s.check(), ArgumentError);
}

TEST_CASE("validation needs images, and nuclei in them") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  data::Dataset set = discs(context, 2, 1);
  Net net(context);
  const auto run = [&](const data::Dataset& images) {
    return train::validate(net, loss::WeightedSquaredError{}, label::ProximityMap{}, images);
  };
  CHECK_THROWS_AS(run({}), ArgumentError);
  set[0].set = "one", set[1].set = "two";
  CHECK(run(set).sets.size() == 2);
  for (auto& sample : set) sample.points.clear();
  CHECK_THROWS_WITH(run(set), Catch::Matchers::Contains("no nuclei"));
}

TEST_CASE("a loss that is not finite stops training with a clear error, before the weights change") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 2, 1);
  Net net(context);
  WeightedTrainer trainer(net, {}, {}, small_crops(), settings(8));
  net.parameters()->values().view<float>().data[0] = std::numeric_limits<float>::quiet_NaN();
  const float second = net.parameters()->values().view<float>().data[1];
  CHECK_THROWS_WITH(trainer.step({set}), Catch::Matchers::Contains("iteration 0") && Catch::Matchers::Contains("loss"));
  CHECK(net.parameters()->values().view<float>().data[1] == second);
  CHECK(trainer.state().iteration == 0);
}

TEST_CASE("the plateau schedule stops the run by the paper's rule") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 2, 1);
  Net net(context);
  train::TrainSettings s = settings(1000, 1);
  s.rate.schedule = optim::Plateau{.factor = 10, .patience = 2, .floor = 1e-3};
  s.rate.start = 1e-2;
  WeightedTrainer trainer(net, {}, {}, small_crops(), s);
  trainer.fit({set}, NoValidation{});  // never improves after the first: 1e-2, 1e-3, stop
  CHECK(trainer.finished());
  CHECK(trainer.state().iteration == 5);
}

TEST_CASE("an auxiliary set is mixed in with gamma, and frozen blocks stay as they are") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset target = discs(context, 2, 1), auxiliary = discs(context, 2, 9);
  Net net(context);
  const std::vector<std::string> blocks{"in", "down1"};
  net.freeze(blocks);
  const std::vector<float> before = weights_of(net);
  train::TrainSettings s = settings(3);
  s.gamma = 0.1;
  WeightedTrainer trainer(net, {}, {}, small_crops(), s);
  CHECK(trainer.step({target, &auxiliary}).images == 4);
  trainer.step({target, &auxiliary});
  for (const auto& e : net.parameters()->entries()) {
    if (e.statistic) continue;
    const float* now = net.parameters()->values().view<float>().data + e.offset;
    const bool same = std::equal(now, now + e.count, before.begin() + e.offset);
    // A bias before a batch norm has no effect, and no gradient: all but the last one.
    const bool idle =
        e.name.ends_with(".bias") && e.name.find("conv") != std::string::npos && e.name != "out.conv2.bias";
    CAPTURE(e.name);
    CHECK(same == (e.frozen || idle));
  }
}

namespace {

/// Nuclei and two classes of them, by two heads.
struct JointNet
    : nn::Graph<nn::Node<"stem", nn::Sequential<nn::ConvUnit<8, 5>, nn::ConvUnit<8, 5>, nn::ConvUnit<8, 5>>>,
                nn::Output<"map", nn::Conv<1, 1>, nn::From<"stem">>,
                nn::Output<"classes", nn::Conv<2, 1>, nn::From<"stem">>> {
  using head = nn::Joint<nn::Proximity, nn::Classes<"dark", "blue">>;
};

/// Discs of two colours, the second bluish; a third of the classes is not told.
data::Dataset coloured_discs(Context<Cpu>& context, std::size_t images, std::uint64_t seed) {
  data::Dataset set;
  for (std::size_t k = 0; k < images; ++k) {
    RandomStream random{seed, k};
    Image image = make_image(80, 96, 3, 0.85f);
    std::vector<Point> points;
    std::vector<int> classes;
    for (int i = 0; i < 8; ++i) {
      const Point p{random.uniform(8, 88), random.uniform(8, 72)};
      if (std::any_of(points.begin(), points.end(), [&](Point q) { return squared_distance(p, q) < 400; })) continue;
      const int colour = random.chance(0.5) ? 1 : 0;
      points.push_back(p), classes.push_back(random.chance(0.33) ? kUnknownClass : colour);
      for (std::size_t y = 0; y < 80; ++y)
        for (std::size_t x = 0; x < 96; ++x)
          if (squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}) < 36)
            for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = c == 2 && colour == 1 ? 0.9f : 0.2f;
    }
    set.push_back(data::make_sample(context, image, points, 1.0, "discs", "", {}, classes));
  }
  return set;
}

}  // namespace

TEST_CASE("two heads learn nuclei and their classes together, and a detector tells both", "[long]") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  const data::Dataset set = coloured_discs(context, 6, 1), held_out = coloured_discs(context, 4, 2);
  nn::Network<JointNet, 3, Cpu> net(context);
  const std::tuple tasks(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{.radius = 8}, "map"},
                         train::Task{loss::ClassCrossEntropy{}, label::ClassDisc{.radius = 5}, "classes", 2.0});
  train::TrainSettings s = settings(150, 150);
  s.rate.schedule = optim::Constant{.rate = 1e-2};
  s.best = train::Best::class_f1;
  train::Trainer trainer(net, tasks, optim::Adam{}, data::CropSampler{.crop = 48, .batch = 2, .seed = 5}, s);
  trainer.fit({set}, [&](const nn::Model<Cpu>& model) {
    return train::validate(model, tasks, held_out, {.peaks = {.radius = 4}, .least_nuclei = 1});
  });
  const train::Validation& found = trainer.state().best;
  CHECK(found.f1 > 0.9);
  CHECK(found.class_f1 > 0.85);
  const detect::Detector detector(net, {.radius = 4, .absolute = static_cast<float>(found.floor)});
  CHECK(detector.classes() == std::vector<std::string>{"dark", "blue"});
  const auto nuclei = detector(held_out[0].image);
  REQUIRE(!nuclei.empty());
  for (const Nucleus& n : nuclei) {
    CHECK((n.class_id == 0 || n.class_id == 1));
    CHECK((n.class_probability >= 0.5f && n.class_probability <= 1));
  }
  const detect::Detector eight(net, {.radius = 4, .absolute = static_cast<float>(found.floor)}, {}, {}, {.over = 8});
  for (const Nucleus& n : eight(held_out[0].image)) CHECK(n.class_id >= 0);
  // A rule of one's own, over the whole map, gives classes too.
  const auto regions =
      detector(held_out[0].image, 1.0, detect::ComponentCentroids{.threshold = static_cast<float>(found.floor)});
  REQUIRE(!regions.empty());
  CHECK(regions[0].class_id >= 0);
}

TEST_CASE("tasks must fit the network") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  nn::Network<JointNet, 3, Cpu> net(context);
  const train::Task map{loss::WeightedSquaredError{}, label::ProximityMap{}, "map"};
  const auto make = [&](const auto& tasks) {
    train::Trainer trainer(net, tasks, optim::Adam{}, small_crops(), settings(2));
  };
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(make(std::tuple(map, map)), Contains("'map' has two"));
  CHECK_THROWS_WITH(make(std::tuple(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}, "maps"})),
                    Contains("no output 'maps'"));
  CHECK_THROWS_WITH(make(std::tuple(train::Task{loss::ClassCrossEntropy{}, label::ClassDisc{}, "map"})),
                    Contains("1 maps"));
  CHECK_THROWS_AS(make(std::tuple(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}, "map", -1.0})),
                  ArgumentError);
}

TEST_CASE("a schedule of one's own, and a run that a stop token ends") {
  struct Halving {
    double operator()(std::int64_t iteration) const { return 1e-2 / static_cast<double>(1 + iteration); }
    void check() const {}
  };
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 2, 1);
  Net net(context);
  train::TrainSettings s = settings(20, 20);
  s.rate.schedule = Halving{};
  WeightedTrainer trainer(net, {}, {}, small_crops(), s);
  std::stop_source source;
  struct Rates {
    std::stop_source& source;
    std::vector<double> rates{};
    void on_step(const train::StepReport& r) {
      rates.push_back(r.rate);
      if (rates.size() == 3) source.request_stop();
    }
  } rates{source};
  trainer.fit({set}, NoValidation{}, rates, train::StopOn{source.get_token()});
  CHECK(rates.rates == std::vector<double>{1e-2, 1e-2 / 2, 1e-2 / 3});
  CHECK(trainer.state().iteration == 3);
  CHECK(trainer.state().best.iteration == -1);
}

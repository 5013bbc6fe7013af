// What lies where labels do not count teaches nothing and scores nothing.
#include <cmath>

#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

/// Nuclei at full size, their classes at half of it.
struct TwoMaps
    : nn::Graph<nn::Node<"stem", nn::Sequential<nn::ConvUnit<8, 5>, nn::ConvUnit<8, 5>>>,
                nn::Output<"map", nn::Conv<1, 1>, nn::From<"stem">>,
                nn::Output<"classes", nn::Sequential<nn::ConvUnit<8, 3, 2>, nn::Conv<2, 1>>, nn::From<"stem">>> {
  using head = nn::Proximity;
};

struct Labelled {
  Image image;
  std::vector<Point> points;
  std::vector<int> classes;
};

/// Dark discs, all over.
Labelled discs(std::uint64_t stream) {
  RandomStream random{7, stream};
  Labelled made{make_image(80, 96, 3, 0.85f), {}, {}};
  for (int i = 0; i < 14; ++i) {
    const Point p{random.uniform(6, 90), random.uniform(6, 74)};
    made.points.push_back(p), made.classes.push_back(static_cast<int>(random.below(3)) - 1);
    for (std::size_t y = 0; y < 80; ++y)
      for (std::size_t x = 0; x < 96; ++x)
        if (squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}) < 36)
          for (std::size_t c = 0; c < 3; ++c) made.image(y, x, c) = 0.2f;
  }
  return made;
}

Areas left_half() { return {{Area{{{{-1, -1}, {48, -1}, {48, 80}, {-1, 80}}}}}, {}}; }
Areas but_right_half() { return {{}, {Area{{{{48, -1}, {97, -1}, {97, 80}, {48, 80}}}}}}; }

/// kept(point): which of the annotations a file holds.
template <class Kept>
data::Dataset annotated_where(Context<Cpu>& context, const Areas& areas, const Kept& kept) {
  data::Dataset set;
  for (std::uint64_t k = 0; k < 2; ++k) {
    const Labelled all = discs(k);
    std::vector<Point> points;
    std::vector<int> classes;
    for (std::size_t i = 0; i < all.points.size(); ++i)
      if (kept(all.points[i])) points.push_back(all.points[i]), classes.push_back(all.classes[i]);
    set.push_back(data::make_sample(context, all.image, points, 1, "discs", "", {}, classes, areas));
  }
  return set;
}
bool left(Point p) { return p.x < 48; }
bool everywhere(Point) { return true; }

const std::tuple kTasks(train::Task{loss::WeightedSquaredError{.least_mean = 0.02f}, label::ProximityMap{.radius = 8},
                                    "map"},
                        train::Task{loss::ClassCrossEntropy{}, label::ClassDisc{.radius = 5}, "classes", 0.5});

struct Trained {
  std::vector<double> losses;
  train::Validation validation;
  friend bool operator==(const Trained& a, const Trained& b) {
    return a.losses == b.losses && a.validation.loss == b.validation.loss && a.validation.f1 == b.validation.f1;
  }
};

Trained trained(Context<Cpu>& context, const data::Dataset& set, int steps) {
  nn::Network<TwoMaps, 3, Cpu> net(context);
  train::TrainSettings settings;
  settings.rate.schedule = optim::Constant{.rate = 1e-2};
  train::Trainer trainer(net, kTasks, optim::Sgd{}, data::CropSampler{.crop = 48, .batch = 2, .seed = 5}, settings);
  Trained run;
  for (int k = 0; k < steps; ++k) run.losses.push_back(trainer.step({set}).loss);
  run.validation = train::validate(net, kTasks, set, {.peaks = {.radius = 4}, .least_nuclei = 1});
  return run;
}

}  // namespace

TEST_CASE("areas: what is annotated outside changes no bit of a training, nor how the area is told", "[long]") {
  Context<Cpu> one({.threads = 1, .seed = 3}), two({.threads = 2, .seed = 3});
  const Trained wanted = trained(one, annotated_where(one, left_half(), left), 6);
  CHECK(trained(two, annotated_where(two, left_half(), left), 6) == wanted);
  CHECK(trained(one, annotated_where(one, left_half(), everywhere), 6).losses == wanted.losses);
  CHECK(trained(one, annotated_where(one, but_right_half(), everywhere), 6).losses == wanted.losses);
  data::Dataset forced = annotated_where(one, left_half(), left);  // labels there after all: their pixels do not count
  for (data::Sample& s : forced)
    for (const double y : {10.0, 40.0, 70.0}) s.points.push_back({75, y}), s.classes.push_back(1);
  CHECK(trained(one, forced, 6).losses == wanted.losses);
  for (data::Sample& s : forced) s.areas = {}, s.counted = {};
  CHECK(trained(one, forced, 6).losses != wanted.losses);
  CHECK(trained(one, annotated_where(one, {}, left), 6).losses != wanted.losses);
  CHECK(trained(one, annotated_where(one, {}, everywhere), 6).losses != wanted.losses);
}

TEST_CASE("areas: an area that leaves out nothing trains as none does") {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const Areas far{{}, {Area{{{{900, 900}, {950, 900}, {950, 950}}}}}};
  const Trained wanted = trained(context, annotated_where(context, {}, everywhere), 3),
                found = trained(context, annotated_where(context, far, everywhere), 3);
  for (std::size_t k = 0; k < wanted.losses.size(); ++k)
    CHECK(found.losses[k] == Approx(wanted.losses[k]).epsilon(1e-5));
  CHECK(found.validation.loss == Approx(wanted.validation.loss).epsilon(1e-4));
}

TEST_CASE("areas: validation scores what counts, and knows what is annotated beside it", "[long]") {
  Context<Cpu> context({.threads = 2, .seed = 3});
  nn::Network<TwoMaps, 3, Cpu> net(context);
  train::TrainSettings settings;
  settings.rate.schedule = optim::Constant{.rate = 1e-2};
  train::Trainer trainer(net, kTasks, optim::Sgd{}, data::CropSampler{.crop = 48, .batch = 2, .seed = 5}, settings);
  const data::Dataset all = annotated_where(context, {}, everywhere);
  for (int k = 0; k < 120; ++k) trainer.step({all});
  const auto f1 = [&](const Areas& areas, const auto& kept) {
    return train::validate(net, kTasks, annotated_where(context, areas, kept),
                           {.peaks = {.radius = 4, .absolute = 1.5f}, .least_nuclei = 1000})
        .f1;
  };
  CHECK(f1({}, everywhere) > 0.8);
  CHECK(f1({}, left) < 0.75);  // what is found on the right counts as wrong
  CHECK(f1(left_half(), left) > 0.8);
  CHECK(f1(left_half(), everywhere) >= f1(left_half(), left));
}

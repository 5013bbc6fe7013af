#include "nucdet/data/sampler.hpp"
#include "nucdet/data/synthetic_tissue.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;
using data::CropSampler;

namespace {

data::Dataset tissue(Context<Cpu>& context) {
  data::Dataset set;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto made = data::synthesize({.height = 100, .width = 90, .seed = i});
    set.push_back(data::make_sample(context, made.image, made.points, 1, "s" + std::to_string(i), i == 5 ? "b" : "a"));
  }
  return set;
}

}  // namespace

TEST_CASE("a crop is a function of the seed, the iteration and its place, on any number of threads") {
  Context<Cpu> one({.threads = 1}), five({.threads = 5});
  const data::Dataset set = tissue(one);
  const CropSampler sampler{.crop = 64, .batch = 5, .augmentation = {}, .seed = 11};
  std::vector<AnnotatedPoints> points, again;
  auto a = one.make({5, 64, 64, 3}), b = one.make({5, 64, 64, 3});
  sampler.draw(one, set, 7, a.view<float>(), points);
  sampler.draw(five, set, 7, b.view<float>(), again);
  CHECK(points == again);
  CHECK(numbers_of(std::as_const(a).view<const float>()) == numbers_of(std::as_const(b).view<const float>()));
  sampler.draw(one, set, 8, b.view<float>(), again);
  CHECK(points != again);
  CropSampler other = sampler;
  other.seed = 12;
  other.draw(one, set, 7, b.view<float>(), again);
  CHECK(points != again);
}

TEST_CASE("balanced draws see small groups as often as large ones; errors") {
  Context<Cpu> context({.threads = 1});
  data::Dataset set = tissue(context);
  for (auto& sample : set) sample.points.assign(sample.group == "b" ? 1 : 0, Point{45, 50});
  auto x = context.make({4, 16, 16, 3});
  std::vector<AnnotatedPoints> points;
  const auto share = [&](bool balanced) {
    const CropSampler sampler{.crop = 16,
                              .batch = 4,
                              .augmentation = data::no_augmentation(),
                              .seed = 1,
                              .balanced = balanced,
                              .margin = 200};
    int with = 0;
    for (int i = 0; i < 200; ++i) {
      sampler.draw(context, set, i, x.view<float>(), points);
      for (const auto& list : points) with += list.points.empty() ? 0 : 1;
    }
    return with / 800.0;
  };
  CHECK(share(true) == Approx(0.5).margin(0.08));
  CHECK(share(false) == Approx(1.0 / 6).margin(0.06));
  const CropSampler sampler{.crop = 16, .batch = 4};
  CHECK_THROWS_AS(sampler.draw(context, {}, 0, x.view<float>(), points), ArgumentError);
  auto wrong = context.make({4, 16, 17, 3});
  CHECK_THROWS_AS(sampler.draw(context, set, 0, wrong.view<float>(), points), ShapeError);
}

TEST_CASE("a set is drawn by its weight, then a group in it, then an image") {
  data::Dataset set(7);
  const char* sets[] = {"a", "a", "a", "a", "b", "b", "b"};
  const char* groups[] = {"x", "x", "x", "y", "", "", "z"};
  for (std::size_t i = 0; i < 7; ++i) set[i].set = sets[i], set[i].group = groups[i];
  const auto shares = [&](const std::map<std::string, double>& weights, bool balanced = true) {
    const data::SampleTree tree(set, balanced, weights);
    RandomStream random{2, 2};
    std::vector<double> share(7, 0);
    for (int k = 0; k < 12000; ++k) share[tree.draw(random)] += 1 / 12000.0;
    return share;
  };
  const auto alike = shares({});
  for (std::size_t i = 0; i < 7; ++i)
    CHECK(alike[i] == Approx(i < 3 ? 1.0 / 12 : i == 3 || i == 6 ? 0.25 : 0.125).margin(0.02));
  const auto mostly = shares({{"b", 3}});
  CHECK(mostly[3] == Approx(0.125).margin(0.02));
  CHECK(mostly[6] == Approx(0.375).margin(0.02));
  CHECK(shares({{"a", 0}})[3] == 0);
  const auto by_image = shares({{"b", 3}}, false);  // sets by their weights all the same
  CHECK(by_image[3] == Approx(0.0625).margin(0.02));
  CHECK(by_image[6] == Approx(0.25).margin(0.02));
  CHECK_THROWS_WITH(shares({{"c", 1}}), Catch::Matchers::Contains("no such set"));
  CHECK_THROWS_AS(shares({{"a", -1}}), ArgumentError);
  CHECK_THROWS_AS(shares({{"a", 0}, {"b", 0}}), ArgumentError);
}

// Images that are 1 at their points and 0 elsewhere: a crop then shows where its points must be, to the last digit.
#include <cmath>

#include "nucdet/data/sampler.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

namespace {

/// One image larger than the crops and two smaller ones, which are reflected several times.
Dataset spikes() {
  Dataset set;
  RandomStream random{8, 1};
  for (const auto& [h, w] : {std::pair<Index, Index>{90, 120}, {17, 23}, {40, 9}}) {
    Sample sample{make_image(h, w, 1), {}, {{0.0f}, {1.0f}}, "", "", 1};
    for (Index i = 0; i < h * w / 60; ++i) {
      const Index x = random.below(w), y = random.below(h);
      float& pixel = sample.image(static_cast<std::size_t>(y), static_cast<std::size_t>(x), 0);
      if (pixel == 0) sample.points.push_back({static_cast<double>(x), static_cast<double>(y)});
      pixel = 1;
    }
    set.push_back(std::move(sample));
  }
  return set;
}

struct Drawn {
  std::vector<float> pixels;
  std::vector<AnnotatedPoints> points;
};

Drawn drawn(const CropSampler& sampler, const Dataset& set, std::int64_t iteration, int threads) {
  Context<Cpu> context({.threads = threads});
  Drawn d{std::vector<float>(static_cast<std::size_t>(sampler.batch * sampler.crop * sampler.crop)), {}};
  sampler.draw(context, set, iteration, {d.pixels.data(), {sampler.batch, sampler.crop, sampler.crop, 1}}, d.points);
  return d;
}

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

}  // namespace

TEST_CASE("sampler: what a crop shows is its points and nothing else, reflected parts included") {
  const Dataset set = spikes();
  const CropSampler sampler{.crop = 48, .batch = 5, .augmentation = no_augmentation(), .seed = 3};
  std::size_t inside = 0;
  for (std::int64_t iteration = 0; iteration < 12; ++iteration) {
    const Drawn d = drawn(sampler, set, iteration, 2);
    double worst = 0;
    for (Index n = 0; n < 5; ++n)
      for (Index v = 0; v < 48; ++v)
        for (Index u = 0; u < 48; ++u) {
          double wanted = 0;  // an upright crop at a fractional place: bilinear weights
          for (const Point& p : d.points[static_cast<std::size_t>(n)].points)
            wanted += triangle(static_cast<double>(u) - p.x) * triangle(static_cast<double>(v) - p.y);
          const float found = d.pixels[static_cast<std::size_t>((n * 48 + v) * 48 + u)];
          worst = std::max(worst, std::abs(wanted - static_cast<double>(found)));
        }
    CHECK(worst < 1e-5);
    for (const auto& list : d.points)
      for (const Point& p : list.points) inside += p.x >= 0 && p.y >= 0 && p.x <= 47 && p.y <= 47 ? 1 : 0;
  }
  CHECK(inside > 1000);
}

TEST_CASE("sampler: a wider margin keeps the same points and adds those further out") {
  const Dataset set = spikes();
  CropSampler sampler{.crop = 32, .batch = 4, .augmentation = {}, .seed = 4, .margin = 3};
  for (std::int64_t iteration = 0; iteration < 10; ++iteration) {
    sampler.margin = 3;
    const Drawn narrow = drawn(sampler, set, iteration, 1);
    sampler.margin = 60;
    const Drawn wide = drawn(sampler, set, iteration, 1);
    CHECK(narrow.pixels == wide.pixels);
    for (std::size_t n = 0; n < 4; ++n) {
      std::vector<Point> near;
      for (const Point& p : wide.points[n].points)
        if (p.x >= -3 && p.y >= -3 && p.x <= 34 && p.y <= 34) near.push_back(p);
      CHECK(near == narrow.points[n].points);
      CHECK(wide.points[n].points.size() > near.size());
    }
  }
}

TEST_CASE("sampler: one, two and five threads draw the same bits, and a batch's crops differ") {
  const Dataset set = spikes();
  const CropSampler sampler{.crop = 40, .batch = 7, .seed = 5};
  const Drawn one = drawn(sampler, set, 1'000'000'007, 1);
  for (const int threads : {2, 5}) {
    const Drawn more = drawn(sampler, set, 1'000'000'007, threads);
    CHECK(more.pixels == one.pixels);
    CHECK(more.points == one.points);
  }
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(one.points[i] != one.points[j]);
}

TEST_CASE("sampler: every nucleus keeps its class, mirrored copies included, and covered ones take theirs away") {
  Dataset set = spikes();
  // The class of a point is told by its place alone: its column's remainder.
  for (Sample& sample : set)
    for (const Point& p : sample.points) sample.classes.push_back(static_cast<int>(p.x) % 3 - 1);
  CropSampler sampler{.crop = 48, .batch = 4, .augmentation = no_augmentation(), .seed = 6};
  Context<Cpu> context({.threads = 2});
  std::size_t seen = 0, copies = 0;
  for (std::int64_t iteration = 0; iteration < 10; ++iteration) {
    const Drawn d = drawn(sampler, set, iteration, 2);
    std::vector<AnnotatedPoints> same;
    const auto cuts = sampler.cuts(context, set, iteration, {4, 48, 48, 1}, same);
    CHECK(same == d.points);
    for (std::size_t n = 0; n < 4; ++n) {
      const double width = static_cast<double>(set[cuts[n].sample].image.shape(1));
      REQUIRE(d.points[n].classes.size() == d.points[n].points.size());
      for (std::size_t i = 0; i < d.points[n].points.size(); ++i) {
        const Point source = cuts[n].warp.source_of(d.points[n].points[i]);
        const double column = std::round(reflect(source.x, width));
        CHECK(d.points[n].classes[i] == static_cast<int>(column) % 3 - 1);
        ++seen, copies += source.x < -0.5 || source.x > width - 0.5 ? 1 : 0;
      }
    }
  }
  CHECK(seen > 1000);
  CHECK(copies > 100);
  set[1].classes.pop_back();
  CHECK_THROWS_AS(drawn(sampler, set, 0, 1), ArgumentError);
}

TEST_CASE("sampler: bad augmentation is refused before anything is drawn") {
  const CropSampler sampler{.crop = 16, .batch = 1, .augmentation = {.geometry = {.rotation = 400}}};
  CHECK_THROWS_WITH(drawn(sampler, spikes(), 0, 1), Catch::Matchers::Contains("rotation 400"));
}

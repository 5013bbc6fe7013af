// The steps of augmentation, each against what it is said to do.
#include <algorithm>
#include <array>

#include "nucdet/data/resident.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/data/synthetic_tissue.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::data;

namespace {

constexpr Index kSize = 64;

Image tissue() { return synthesize({.height = kSize, .width = kSize, .seed = 3}).image; }

template <class Change>
Image changed(const Change& change, Image image) {
  Context<Cpu> context({.threads = 1});
  Image buffer = image;
  data::detail::apply_changes(context, &change, view_of(image), view_of(buffer));
  return image;
}

double mean(const Image& image) {
  double sum = 0;
  for (const float v : image) sum += static_cast<double>(v);
  return sum / static_cast<double>(image.size());
}
/// The mean square of differences between neighbours in a row: sharpness and noise raise it, blur takes it down.
double roughness(const Image& image) {
  const View<const float> x = view_of(image);
  double sum = 0;
  for (Index i = 0; i < kSize; ++i)
    for (Index j = 1; j < kSize; ++j) {
      const double d = static_cast<double>(x.pixel(0, i, j)[1]) - static_cast<double>(x.pixel(0, i, j - 1)[1]);
      sum += d * d;
    }
  return sum / static_cast<double>(kSize * kSize);
}
double largest_difference(const Image& a, const Image& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
  return worst;
}

/// A step that changes every crop.
template <class Step>
Step always() {
  Step step;
  step.chance = 1;
  return step;
}

template <class Step>
void check_step() {
  CAPTURE(Step::kName);
  const Image before = tissue();
  RandomStream random{7, 7}, again{7, 7}, rarely{7, 7};
  int different = 0;
  for (int k = 0; k < 20; ++k) {
    const Image once = changed(always<Step>().draw(kSize, random), before),
                twice = changed(always<Step>().draw(kSize, again), before);
    CHECK(once == twice);
    for (const float v : once) REQUIRE((v >= 0 && v <= 1));
    different += once == before ? 0 : 1;
    Step never;
    never.chance = 0;
    CHECK_FALSE(never.draw(kSize, rarely).active);
  }
  CHECK(different >= 12);  // a margin may lie outside the crop
}

}  // namespace

TEST_CASE("augment: every step is a function of its stream, stays in [0, 1], and can be switched off") {
  std::apply([](const auto&... step) { (check_step<std::decay_t<decltype(step)>>(), ...); },
             StandardAugmentation{}.steps);
}

TEST_CASE("augment: blur and lost resolution smooth, sharpening and noise roughen, none moves the mean") {
  const Image before = tissue();
  const double rough = roughness(before), level = mean(before);
  const Image blurred = changed(Blur::Change{true, data::detail::GaussianLine(1.5)}, before),
              sharp = changed(Sharpen::Change{true, 1.0f, data::detail::GaussianLine(1.0)}, before),
              coarse = changed(Resolution::Change{true, 3.0f}, before),
              noisy = changed(Noise::Change{true, 0.03f, 0.0f, {1, 2}}, before);
  CHECK(roughness(blurred) < 0.5 * rough);
  CHECK(roughness(coarse) < 0.5 * rough);
  CHECK(roughness(sharp) > 1.5 * rough);
  CHECK(roughness(noisy) - rough == Approx(2 * 0.03 * 0.03).epsilon(0.1));  // the difference of two normal numbers
  for (const Image* image : {&blurred, &coarse, &sharp, &noisy}) CHECK(mean(*image) == Approx(level).margin(0.01));
}

TEST_CASE("augment: a blur spreads a point into a Gaussian of its sigma") {
  Image point = make_image(kSize, kSize, 3);
  for (std::size_t c = 0; c < 3; ++c) point(32, 32, c) = 1;
  const Image spread = changed(Blur::Change{true, data::detail::GaussianLine(1.5)}, point);
  double sum = 0, squares = 0;
  for (std::size_t y = 0; y < 64; ++y)
    for (std::size_t x = 0; x < 64; ++x) {
      const double v = static_cast<double>(spread(y, x, 1)), d = static_cast<double>(x) - 32;
      sum += v, squares += v * d * d;
    }
  CHECK(sum == Approx(1).margin(1e-5));
  CHECK(std::sqrt(squares / sum) == Approx(1.5).margin(0.05));
}

TEST_CASE("augment: JPEG at quality 100 moves by little more than its rounding, at 10 by much; flat blocks stay") {
  const Image before = tissue();
  const Image best = changed(Jpeg::Change{true, 100, 3, 5, false}, before),
              worst = changed(Jpeg::Change{true, 10, 3, 5, true}, before);
  CHECK(largest_difference(before, best) < 4.0 / 255);
  CHECK(largest_difference(before, worst) > 20.0 / 255);
  CHECK(mean(worst) == Approx(mean(before)).margin(0.02));
  const Image flat = make_image(kSize, kSize, 3, 128.0f / 255);
  CHECK(largest_difference(flat, changed(Jpeg::Change{true, 50, 0, 0, false}, flat)) < 1e-5);
}

TEST_CASE("augment: JPEG's chrominance has half the resolution where it is subsampled, luminance has not") {
  // Stripes of one pixel, red and blue of the same luminance, then a grey edge.
  const float red[3] = {0.6f, 0.35f, 0.35f}, blue[3] = {0.35f, 0.447772f, 0.5f};
  Image stripes = make_image(kSize, kSize, 3);
  for (std::size_t y = 0; y < kSize; ++y)
    for (std::size_t x = 0; x < kSize; ++x)
      for (std::size_t c = 0; c < 3; ++c) stripes(y, x, c) = x >= 24 ? 0.2f : x % 2 == 0 ? red[c] : blue[c];
  const auto contrast = [](const Image& image) { return std::abs(image(10, 8, 0) - image(10, 9, 0)); };
  const Image whole = changed(Jpeg::Change{true, 98, 0, 0, false}, stripes),
              halved = changed(Jpeg::Change{true, 98, 0, 0, true}, stripes);
  CHECK(contrast(whole) == Approx(0.25).margin(0.02));
  CHECK(contrast(halved) < 0.02);
  CHECK(halved(10, 8, 0) == Approx((red[0] + blue[0]) / 2).margin(0.02));
  CHECK(halved(10, 30, 1) == Approx(0.2).margin(0.02));
  // A ramp of colour is kept: half the resolution is enough for it. Inside a square, where its neighbours do not
  // matter.
  Image ramp = make_image(kSize, kSize, 3, 0.5f);
  for (std::size_t y = 0; y < kSize; ++y)
    for (std::size_t x = 0; x < kSize; ++x) ramp(y, x, 2) = 0.3f + 0.005f * static_cast<float>(x);
  const Image kept = changed(Jpeg::Change{true, 100, 0, 0, true}, ramp);
  for (const std::size_t x : {18u, 23u, 24u, 29u}) CHECK(kept(20, x, 2) == Approx(ramp(20, x, 2)).margin(0.01));
}

TEST_CASE("augment: JPEG quantises each coefficient of a block, and its tables are libjpeg's at 50") {
  const Jpeg::Change change{true, 50, 0, 0, false};
  CHECK((change.step_of(false, 0) == 16 && change.step_of(false, 63) == 99 && change.step_of(true, 0) == 17));
  CHECK(Jpeg::Change{true, 25, 0, 0, false}.step_of(false, 0) == 32);
  CHECK(Jpeg::Change{true, 75, 0, 0, false}.step_of(false, 0) == 8);
  // One grey wave of a block: its coefficient becomes the nearest multiple of the step.
  Image wave = make_image(8, 8, 3);
  const double amplitude = 40;  // of the orthonormal transform, grey levels
  for (std::size_t y = 0; y < 8; ++y)
    for (std::size_t x = 0; x < 8; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        wave(y, x, c) =
            static_cast<float>((128 + amplitude * 0.5 * std::sqrt(1.0 / 8) *
                                          std::cos((2 * static_cast<double>(x) + 1) * 3.14159265358979 / 16)) /
                               255);
  const Image after = changed(change, wave);
  double coefficient = 0;
  for (std::size_t y = 0; y < 8; ++y)
    for (std::size_t x = 0; x < 8; ++x)
      coefficient += 255 * static_cast<double>(after(y, x, 0)) * 0.5 * std::sqrt(1.0 / 8) *
                     std::cos((2 * static_cast<double>(x) + 1) * 3.14159265358979 / 16);
  CHECK(coefficient == Approx(44).margin(0.05));  // the step of that coefficient is 11
}

namespace {

/// A change says that it covers a nucleus exactly where less than about half of it can still be seen.
template <class Step>
void check_cover() {
  CAPTURE(Step::kName);
  const Image black = make_image(kSize, kSize, 3, 0.0f), white = make_image(kSize, kSize, 3, 1.0f);
  RandomStream random{4, 7};
  int covered = 0, open = 0;
  for (int k = 0; k < 30; ++k) {
    const auto change = always<Step>().draw(kSize, random);
    const Image low = changed(change, black), high = changed(change, white);
    for (std::size_t y = 0; y < kSize; ++y)
      for (std::size_t x = 0; x < kSize; ++x) {
        const float seen = high(y, x, 1) - low(y, x, 1);
        const bool hidden = change.covers({static_cast<double>(x), static_cast<double>(y)});
        REQUIRE(hidden == (hidden ? seen < 0.65f : seen < 0.35f));
        hidden ? ++covered : ++open;
      }
  }
  CHECK((covered > 100 && open > 1000));
}

}  // namespace

TEST_CASE("augment: what lies on the glass covers the nuclei that it hides") {
  check_cover<Glass>(), check_cover<Pen>(), check_cover<Dust>(), check_cover<Margin>();
}

TEST_CASE("augment: nuclei under a margin are gone, the others keep their points") {
  Context<Cpu> context({.threads = 1});
  const auto made = synthesize({.height = 200, .width = 200, .density = 4000, .seed = 5});
  const Dataset set{make_sample(context, made.image, made.points, 1, "tissue")};
  const auto count = [&](const StandardAugmentation& augmentation, Index k, View<float> crop,
                         std::vector<Point>& shown) {
    const CropSampler sampler{.crop = 96, .batch = 1, .augmentation = augmentation, .seed = 8, .margin = 0};
    std::vector<AnnotatedPoints> points;
    sampler.draw(context, set, k, crop, points);
    shown = points[0].points;
  };
  StandardAugmentation margins = no_augmentation();
  margins.step<Margin>().chance = 1;
  Image plain = make_image(96, 96, 3), covered = plain;
  int kept = 0, gone = 0;
  for (Index k = 0; k < 20; ++k) {
    std::vector<Point> all, some;
    count(no_augmentation(), k, view_of(plain), all), count(margins, k, view_of(covered), some);
    for (const Point& p : all) {
      const auto y = static_cast<std::size_t>(std::lround(p.y)), x = static_cast<std::size_t>(std::lround(p.x));
      if (p.x < 1 || p.y < 1 || p.x > 94 || p.y > 94) continue;
      const bool there = std::find(some.begin(), some.end(), p) != some.end();
      const bool same = plain(y, x, 0) == covered(y, x, 0) && plain(y, x, 1) == covered(y, x, 1);
      // On the edge the point's place decides, not the pixel's.
      const bool edge = plain(y, x - 1, 1) == covered(y, x - 1, 1) && plain(y, x + 1, 1) == covered(y, x + 1, 1) &&
                        plain(y - 1, x, 1) == covered(y - 1, x, 1) && plain(y + 1, x, 1) == covered(y + 1, x, 1);
      if (same && edge) CHECK(there);
      if (!same && !there) ++gone;
      if (there) ++kept;
    }
    CHECK(some.size() <= all.size());
  }
  CHECK((kept > 50 && gone > 50));
}

TEST_CASE("augment: glass alone holds no point and no structure; images of other channels are only turned") {
  Context<Cpu> context({.threads = 1});
  StandardAugmentation glass = no_augmentation();
  glass.step<Glass>().chance = 1, glass.step<Glass>().whole = 1;
  const auto made = synthesize({.height = 100, .width = 100, .seed = 5});
  const Dataset set{make_sample(context, made.image, made.points, 1, "tissue")};
  const CropSampler sampler{.crop = 64, .batch = 1, .augmentation = glass, .seed = 8};
  Image crop = make_image(64, 64, 3);
  std::vector<AnnotatedPoints> points;
  for (Index k = 0; k < 5; ++k) {
    sampler.draw(context, set, k, view_of(crop), points);
    CHECK(points[0].points.empty());
    CHECK(roughness(crop) < 0.05);  // of normalised values
  }
  // Stain without structure holds no nuclei either: pink on the mean, whatever its mottle.
  glass.step<Glass>().stained = 1;
  const CropSampler pink{.crop = 64, .batch = 1, .augmentation = glass, .seed = 8};
  const data::ChannelStatistics& s = set[0].statistics;
  for (Index k = 0; k < 5; ++k) {
    pink.draw(context, set, k, view_of(crop), points);
    CHECK(points[0].points.empty());
    double level[3] = {};
    for (std::size_t i = 0; i < crop.size(); ++i)
      level[i % 3] += static_cast<double>(crop.data()[i] * s.deviation[i % 3] + s.mean[i % 3]) / (64 * 64);
    CHECK((level[0] > level[1] - 0.05 && level[0] > level[2] - 0.05 && level[0] > 0.5));
  }
  Sample grey;
  grey.image = make_image(80, 80, 1, 0.5f), grey.points = {{40, 40}}, grey.statistics = {{0}, {1}};
  Image one = make_image(64, 64, 1);
  sampler.draw(context, {grey}, 0, view_of(one), points);
  CHECK_FALSE(points[0].points.empty());
  for (const float v : one) REQUIRE(v == 0.5f);
}

namespace {

/// A step of one's own: the colours the other way round.
struct Negative {
  static constexpr const char* kName = "negative";
  double chance = 1;

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 1;
    bool active = false;
    void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      for (Index c = 0; c < 3; ++c) to.pixel(n, y, x)[c] = 1 - from.pixel(n, y, x)[c];
    }
  };
  void check() const {}
  Change draw(Index, RandomStream& random) const { return {random.chance(chance)}; }
};

}  // namespace

TEST_CASE("augment: a composition of one's own") {
  Context<Cpu> context({.threads = 1});
  Dataset set{make_sample(context, make_image(40, 40, 3, 0.25f), {}, 1, "flat")};
  set[0].statistics = {{0, 0, 0}, {1, 1, 1}};
  BasicCropSampler<Augmentation<Negative, Stain>> sampler{.crop = 32, .batch = 1};
  sampler.augmentation.step<Stain>().chance = 0;
  Image crop = make_image(32, 32, 3);
  std::vector<AnnotatedPoints> points;
  sampler.draw(context, set, 0, view_of(crop), points);
  for (const float v : crop) REQUIRE(v == Approx(0.75));
  ResidentDataset<Cpu, decltype(sampler)> resident(context, set);
  resident.prepare(context, sampler, 0, {1, 32, 32, 3});
  resident.draw(context, sampler, 0, view_of(crop), points);
  for (const float v : crop) REQUIRE(v == Approx(0.75));
}

TEST_CASE("augment: settings out of range name the step") {
  StandardAugmentation a;
  a.step<Blur>().most = 9;
  CHECK_THROWS_WITH(a.check(), Catch::Matchers::Contains("blur") && Catch::Matchers::Contains("[0, 3]"));
  a = {}, a.step<Jpeg>().worst = 0;
  CHECK_THROWS_AS(a.check(), ArgumentError);
  a = {}, a.step<Stain>().most = NAN;
  CHECK_THROWS_AS(a.check(), ArgumentError);
}

#include "nucdet/data/synthetic_tissue.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("synthetic tissue: nuclei are where the points say, darker than what is around them") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto made = data::synthesize({.height = 256, .width = 300, .seed = seed});
    const double wanted = 1500 * 256 * 300 * 1e-6;
    CHECK(static_cast<double>(made.points.size()) > 0.8 * wanted);
    CHECK(static_cast<double>(made.points.size()) <= wanted + 1);
    double all = 0, centres = 0;
    for (std::size_t y = 0; y < 256; ++y)
      for (std::size_t x = 0; x < 300; ++x) all += static_cast<double>(made.image(y, x, 0)) / (256 * 300);
    int darker = 0;
    for (const Point& p : made.points) {
      CHECK((p.x >= 0 && p.y >= 0 && p.x <= 299 && p.y <= 255));
      const double red = static_cast<double>(
          made.image(static_cast<std::size_t>(std::lround(p.y)), static_cast<std::size_t>(std::lround(p.x)), 0));
      centres += red / static_cast<double>(made.points.size());
      darker += red < all ? 1 : 0;
    }
    CHECK(centres < all - 0.12);
    CHECK(static_cast<double>(darker) > 0.8 * static_cast<double>(made.points.size()));  // some are pale
    CHECK(*std::min_element(made.image.begin(), made.image.end()) >= 0);
    CHECK(*std::max_element(made.image.begin(), made.image.end()) <= 1);
  }
}

TEST_CASE(
    "synthetic tissue: the same seed is the same image; density and radius are obeyed; bad settings are refused") {
  const auto a = data::synthesize({.seed = 5}), b = data::synthesize({.seed = 5}), c = data::synthesize({.seed = 6});
  CHECK(a.points == b.points);
  CHECK(a.image == b.image);
  CHECK(a.points != c.points);
  CHECK(data::synthesize({.density = 0}).points.empty());
  CHECK(data::synthesize({.density = 300}).points.size() < data::synthesize({.density = 1200}).points.size());
  double nearest = 1e9;
  for (std::size_t i = 0; i < a.points.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) nearest = std::min(nearest, squared_distance(a.points[i], a.points[j]));
  CHECK(std::sqrt(nearest) > 5);  // centres can be told apart
  CHECK_THROWS_AS(data::synthesize({.height = 8}), ArgumentError);
  CHECK_THROWS_AS(data::synthesize({.density = -1}), ArgumentError);
  CHECK_THROWS_AS(data::synthesize({.radius = 100}), ArgumentError);
}

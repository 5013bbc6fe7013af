#include <cmath>
#include <numeric>

#include "nucdet/core/error.hpp"
#include "nucdet/io/density.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/io/summary_csv.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

/// Nuclei that a map stands for: density times area, summed.
double counted(const DensityMap& map) {
  double sum = 0;
  const auto side = [&](Index i, Index n, double um) {
    return i + 1 == n ? um - static_cast<double>(i) * map.cell_um : map.cell_um;
  };
  for (Index y = 0; y < map.rows(); ++y)
    for (Index x = 0; x < map.columns(); ++x)
      sum += static_cast<double>(map.per_mm2(y, x)) * 1e-6 * side(y, map.rows(), map.height_um) *
             side(x, map.columns(), map.width_um);
  return sum;
}

}  // namespace

TEST_CASE("density counts nuclei by the area of their cell") {
  // 1000 x 400 pixels of 0.5 x 0.25 um: 500 x 100 um, cells of 210 um: the last column is 290 um wide.
  const PixelSize pixel{0.5, 0.25, "test"};
  const std::vector<Point> points{{0, 0},         {-0.5, 399.5}, {419, 0}, {419.6, 0},
                                  {999.5, 399.5}, {-0.6, 5},     {5, 400}, {1000, 3}};
  const DensityMap map = density_map(points, 400, 1000, pixel, {.cell_um = 210});
  REQUIRE(map.rows() == 1);
  REQUIRE(map.columns() == 2);
  CHECK(map.per_mm2(0, 0) == Approx(3 / 0.021));
  CHECK(map.per_mm2(0, 1) == Approx(2 / 0.029));
  CHECK(map.middle_of_column(0) == 105);
  CHECK(map.middle_of_column(1) == 355);
  CHECK(map.middle_of_row(0) == 50);
  CHECK(density_map({}, 3, 3, pixel).per_mm2(0, 0) == 0);
}

TEST_CASE("smoothing keeps an even density even, to the edges, and spreads a single nucleus") {
  std::vector<Point> even;
  for (int y = 5; y < 1000; y += 10)
    for (int x = 5; x < 1500; x += 10) even.push_back({x - 0.5, y - 0.5});
  const PixelSize pixel{1, 1, "test"};
  const DensityMap smooth = density_map(even, 1000, 1500, pixel, {.cell_um = 50, .sigma_um = 120});
  for (const float v : smooth.per_mm2) CHECK(v == Approx(10000).epsilon(1e-5));
  const std::vector<Point> one{{500, 500}};
  const DensityMap spread = density_map(one, 1000, 1000, pixel, {.cell_um = 50, .sigma_um = 50});
  CHECK(counted(spread) == Approx(1).epsilon(0.01));
  CHECK(spread.per_mm2(10, 10) == Approx(400 / (2 * 3.14159)).epsilon(0.02));
  CHECK(spread.per_mm2(10, 11) == Approx(static_cast<double>(spread.per_mm2(10, 10)) * std::exp(-0.5)).epsilon(1e-3));
  CHECK(counted(density_map(even, 1000, 1500, pixel, {.cell_um = 70})) == Approx(15000));
}

TEST_CASE("a density of no sense is refused") {
  const std::vector<Point> points{{1, 1}};
  CHECK_THROWS_AS(density_map(points, 10, 10, {}), ArgumentError);
  CHECK_THROWS_AS(density_map(points, 0, 10, {1, 1, ""}), ArgumentError);
  CHECK_THROWS_AS(density_map(points, 10, 10, {1, 1, ""}, {.cell_um = 0}), ArgumentError);
  CHECK_THROWS_AS(density_map(points, 10, 10, {1, 1, ""}, {.sigma_um = NAN}), ArgumentError);
  CHECK_THROWS_AS(density_map(points, 100000, 100000, {1, 1, ""}, {.cell_um = 0.1}), ArgumentError);
}

TEST_CASE("a density as a table, which says whose it is") {
  const TemporaryFolder folder;
  const std::vector<Point> points{{10, 10}, {150, 10}};
  write_density_csv(folder / "d.csv", density_map(points, 150, 200, {1, 1, "test"}, {.cell_um = 100}));
  CHECK(contents_of(folder / "d.csv") == "nuclei_per_mm2 at y_um/x_um,50,150\n50,100,100\n125,0,0\n");
  CHECK(product_of(folder / "d.csv") == Product::detections);
}

TEST_CASE("a density drawn: grey without nuclei, bright with many, a legend below, 8 and 16 bits alike") {
  std::vector<std::uint8_t> bytes(500 * 600 * 3, 200);
  std::vector<std::uint16_t> words(bytes.size(), 200 * 257);
  const data::ImageView view(bytes.data(), 500, 600), wide(words.data(), 500, 600);
  std::vector<Point> points;
  for (int i = 0; i < 1000; ++i) points.push_back({25.0 + i % 100 * 0.5, 25.0 + i / 100});
  const DensityMap map = density_map(points, 500, 600, {0.5, 0.5, "test"});
  const Image picture = draw_density(view, map);
  REQUIRE(picture.shape(1) == 600);
  REQUIRE(picture.shape(0) > 500);
  for (std::size_t c = 0; c < 3; ++c) CHECK(picture(400, 400, c) == Approx(200 / 255.0));
  CHECK(picture(50, 50, 2) < picture(50, 50, 0));  // yellow
  CHECK(picture(50, 50, 1) > 0.5f);
  CHECK(picture == draw_density(wide, map));
  const Image small = draw_density(view, map, {.longest = 150});
  CHECK(small.shape(1) == 150);
  CHECK(small(12, 12, 1) == Approx(picture(50, 50, 1)).epsilon(0.05));
  const data::ImageView tiny(bytes.data(), 20, 30);
  CHECK(draw_density(tiny, density_map({}, 20, 30, {0.5, 0.5, "test"})).shape(1) >= 400);
  CHECK_THROWS_AS(draw_density(view, {}), ArgumentError);
  CHECK_THROWS_AS(draw_density(view, map, {.longest = 0}), ArgumentError);
}

TEST_CASE("a line for each image") {
  const TemporaryFolder folder;
  std::vector<SummaryRow> rows{{"a.png", 1000, 500, {0.5, 0.5, "test"}, 0, 250, {200, 50}, 1.5}, {"b, c.png", 10, 20}};
  write_summary_csv(folder / "s.csv", rows, ClassNames({"tumour", "a,b"}));
  CHECK(
      contents_of(folder / "s.csv") ==
      "image,width,height,um_per_pixel_x,um_per_pixel_y,area_mm2,nuclei,per_mm2,class: tumour,\"class: a,b\",seconds\n"
      "a.png,1000,500,0.5,0.5,0.125,250,2000,200,50,1.5\n"
      "\"b, c.png\",10,20,,,,0,,,,\n");
  rows[0].area_mm2 = 0.0625;
  rows[0].of_class.clear();
  write_summary_csv(folder / "s.csv", rows);
  CHECK(contents_of(folder / "s.csv").find("a.png,1000,500,0.5,0.5,0.0625,250,4000,1.5\n") != std::string::npos);
  CHECK(product_of(folder / "s.csv") == Product::counts);
  rows[1].of_class = {1};
  CHECK_THROWS_AS(write_summary_csv(folder / "s.csv", rows), ArgumentError);
}

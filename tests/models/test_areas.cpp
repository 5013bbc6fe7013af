// Regions and ignored areas of an annotation file say where a data set's labels count.
#include "nucdet/io/image.hpp"
#include "nucdet/models/dataset.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("data sets: annotations outside of a region or in an ignored area are no labels") {
  const TemporaryFolder folder;
  io::write_png(folder / "a.png", make_image(40, 60, 3, 0.5f));
  const auto polygon = [](const std::string& corners, const std::string& name) {
    return R"({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[)" + corners +
           R"(]]}, "properties": {"objectType": "annotation", "classification": {"name": ")" + name + "\"}}}";
  };
  put(folder / "a.geojson", R"({"type": "FeatureCollection", "features": [)" +
                                polygon("[0,0],[30,0],[30,40],[0,40],[0,0]", "Region*") + "," +
                                polygon("[0,0],[10,0],[10,10],[0,10],[0,0]", "Ignore*") + R"(,
    {"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": [[5.5, 5.5], [20.5, 20.5], [50.5, 20.5]]},
     "properties": {"classification": {"name": "Tumor"}}}]})");
  Context<Cpu> context({.threads = 1});
  const io::ManifestEntry entry{.image = folder / "a.png", .annotations = folder / "a.geojson", .scale = 2.0};
  const data::Sample sample = models::load_sample(context, entry, models::class_names_of({entry}));
  CHECK(sample.points == std::vector<Point>{{40.5, 40.5}});
  CHECK(sample.classes.size() == 1);
  CHECK(sample.uncounted.points.size() == 2);
  CHECK(sample.counted.count() == 60 * 80 - 20 * 20);
  CHECK(models::nuclei_in({sample}) == 1);
}

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/models/networks.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;

namespace {

const models::NetworkChoice kSmall{.name = "micronet-lite", .base = 4};

/// A model with weights of the seed and what a file must say of it.
struct Written {
  explicit Written(const std::filesystem::path& path) : model(models::make_network(context, kSmall)) {
    metadata = models::to_metadata(kSmall);
    metadata.merge(io::to_metadata(normalization));
    io::write_peaks(peaks, metadata);
    io::save_weights(path, *model, metadata);
  }

  Context<Cpu> context{{.threads = 1, .seed = 3}};
  std::unique_ptr<nn::Model<Cpu>> model;
  detect::LocalMaxima peaks{.radius = 3, .absolute = 0.01f};
  data::Normalization normalization = data::FixedNormalization{{{0.6f, 0.5f, 0.7f}, {0.2f, 0.25f, 0.2f}}};
  io::Metadata metadata;
};

bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Nucleus& n, const Nucleus& m) {
    return n.centre.x == m.centre.x && n.centre.y == m.centre.y && n.score == m.score;
  });
}

}  // namespace

TEST_CASE("A detector from a file finds what the model that was written finds") {
  const TemporaryFolder folder;
  Written written(folder / "w.safetensors");
  const Image image = data::synthesize({.height = 70, .width = 90, .seed = 4}).image;
  const std::vector<Nucleus> wanted = detect::Detector(*written.model, written.peaks, written.normalization)(image);
  REQUIRE(wanted.size() > 3);

  Context<Cpu> context({.threads = 2});
  const detect::Detector detector = models::load_detector(context, folder / "w.safetensors");
  CHECK(same(detector(image), wanted));
}

TEST_CASE("Thresholds and tiles of the caller replace those of the file") {
  const TemporaryFolder folder;
  Written written(folder / "w.safetensors");
  Context<Cpu> context({.threads = 1});
  const auto loaded = models::load_model(context, folder / "w.safetensors", {.threshold = 0.5, .xi = 0.25});
  CHECK(loaded.peaks.threshold() == 0.5f);
  CHECK(loaded.peaks.relative == 0.25);
  CHECK(loaded.peaks.radius == 3);  // not asked for
  CHECK(loaded.full_response == 5);
  CHECK(loaded.metadata == written.metadata);

  const auto detector = models::load_detector(context, folder / "w.safetensors",
                                              {.thresholds = {.threshold = 1e6}, .tiles = {.cell = 256}});
  CHECK(detector.tiles().cell == 256);
  CHECK(detector(data::synthesize({.height = 40, .width = 40}).image).empty());
  CHECK_THROWS_WITH(models::load_model(context, folder / "w.safetensors", {.xi = 2}), Contains("relative is 2"));
}

TEST_CASE("Weights of version 0.1.0 say what they need") {
  Context<Cpu> context({.threads = 1});
  const auto loaded = models::load_model(context, NUCDET_TEST_DIR "/golden/weights_0_1.safetensors");
  CHECK(std::holds_alternative<data::ImageNormalization>(loaded.normalization));
  CHECK(loaded.peaks.full_scale == 0);
  CHECK(loaded.peaks.relative == 0.6);
  CHECK(loaded.least_floor() == Approx(0.04 * 5));
}

TEST_CASE("What is wrong with a file is said with its name") {
  const TemporaryFolder folder;
  const auto path = folder / "w.safetensors";
  Written written(path);
  Context<Cpu> context({.threads = 1});
  const auto load = [&] { models::load_detector(context, path); };
  const auto with = [&](const std::string& key, const std::string& value) {
    io::Metadata changed = written.metadata;
    changed[key] = value;
    io::save_weights(path, *written.model, changed);
  };
  with("network.base", "7");
  CHECK_THROWS_WITH(load(), Contains("w.safetensors") && Contains("base 7") && Contains("not built in"));
  with("network.base", "8");
  CHECK_THROWS_AS(load(), IoError);  // tensors of another shape
  with("peaks.radius", "0");
  CHECK_THROWS_WITH(load(), Contains("w.safetensors: metadata 'peaks.radius' is '0'"));
  with("normalization", "mixed");
  CHECK_THROWS_WITH(load(), Contains("w.safetensors: metadata 'normalization' is 'mixed'"));
  io::save_weights(path, *written.model, {});
  CHECK_THROWS_WITH(load(), Contains("w.safetensors") && Contains("no 'network'"));
  std::filesystem::remove(path);
  CHECK_THROWS_WITH(load(), Contains("w.safetensors"));
}

// The weights that come along, on real tissue: what surrounds it, and the tiles it is cut into, change nothing.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
namespace fs = std::filesystem;

namespace {

using Net = nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 32}>, 3, Cpu>;

/// The network with the shipped weights, which come with constants and an absolute threshold.
struct Shipped {
  Context<Cpu> context{{.threads = 2}};
  Net net{context};
  detect::LocalMaxima peaks;
  data::Normalization rule;

  Shipped() {
    const std::string path = std::string(NUCDET_TEST_DIR) + "/../models/nuclei-he.safetensors";
    const io::Metadata metadata = io::load_weights(path, net);
    peaks = io::peaks_from(metadata, path), rule = io::normalization_from(metadata, path);
    REQUIRE(data::name_of(rule) == "fixed");
    REQUIRE((peaks.full_scale == 5 && peaks.relative == 0));
  }
};

/// Four images of 512 x 512, side by side.
Image mosaic() {
  const char* named = std::getenv("NUCDET_DATA");
  const fs::path folder = named != nullptr ? fs::path(named) : fs::path(NUCDET_TEST_DIR) / "../../shared/data";
  const fs::path manifest = folder / "nuinsseg-human23/manifest.csv";
  if (!fs::exists(manifest)) {
    std::cout << "SKIPPED: no " << manifest.string() << " (set NUCDET_DATA)\n";
    return {};
  }
  const auto entries = io::read_manifest(manifest);
  Image whole = make_image(1024, 1024, 3);
  for (std::size_t k = 0; k < 4; ++k) {
    const Image image = io::read_image(entries[k * (entries.size() / 4)].image);
    for (std::size_t y = 0; y < 512; ++y)
      std::copy_n(image.data() + y * 512 * 3, 512 * 3, &whole(k / 2 * 512 + y, k % 2 * 512, 0));
  }
  return whole;
}

/// Those of `a` that `b` has not within a hundredth of a pixel.
std::vector<Nucleus> missing(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  std::vector<Nucleus> none;
  for (const Nucleus& n : a)
    if (std::none_of(b.begin(), b.end(), [&](const Nucleus& m) {
          return squared_distance(m.centre, n.centre) < 1e-4 && std::abs(m.score - n.score) < 1e-5f;
        }))
      none.push_back(n);
  return none;
}

/// At most one nucleus more or less, which the threshold explains.
void check_same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b, const detect::LocalMaxima& peaks) {
  auto differing = missing(a, b);
  for (const Nucleus& n : missing(b, a)) differing.push_back(n);
  CHECK(differing.size() <= 1);
  for (const Nucleus& n : differing) CHECK(std::abs(n.score - peaks.threshold()) < 1e-4f);
}

}  // namespace

TEST_CASE("shipped weights: tiles of any size have the same nuclei") {
  const Image image = mosaic();
  if (image.size() == 0) return;
  const Shipped shipped;
  const auto whole = detect::Detector(shipped.net, shipped.peaks, shipped.rule)(image);
  CHECK(whole.size() > 100);
  for (const Index cell : {256, 480})
    check_same(detect::Detector(shipped.net, shipped.peaks, shipped.rule, {.cell = cell})(image), whole, shipped.peaks);
}

TEST_CASE("shipped weights: tissue has the same nuclei between margins of white, black and grey") {
  const Image image = mosaic();
  if (image.size() == 0) return;
  const Shipped shipped;
  const detect::Detector detector(shipped.net, shipped.peaks, shipped.rule);
  const auto margin = static_cast<double>(detector.tiles().margin);
  const auto inside = [&](std::vector<Nucleus> nuclei) {
    std::erase_if(nuclei, [&](const Nucleus& n) {
      return std::min({n.centre.x, n.centre.y, 704 - n.centre.x, 704 - n.centre.y}) < margin;
    });
    return nuclei;
  };
  Image piece = make_image(704, 704, 3);
  for (std::size_t y = 0; y < 704; ++y) std::copy_n(&image(y, 0, 0), 704 * 3, &piece(y, 0, 0));
  const auto alone = inside(detector(piece));
  CHECK(alone.size() > 10);
  for (const float value : {1.0f, 0.0f, 0.5f}) {
    Image framed = make_image(880, 800, 3, value);
    for (std::size_t y = 0; y < 704; ++y) std::copy_n(&piece(y, 0, 0), 704 * 3, &framed(y + 112, 64, 0));
    auto found = detector(framed);
    for (Nucleus& n : found) n.centre.x -= 64, n.centre.y -= 112;
    check_same(inside(found), alone, shipped.peaks);
  }
}

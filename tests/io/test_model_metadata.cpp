// What a weight file says beside its weights: normalisation and peaks, of this version and of 0.1; and what is refused.
#include <cmath>
#include <limits>

#include "nucdet/detect/detector.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/network.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;
using Net = nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 4}>, 3, Cpu>;

namespace {

/// Soft dark spots on a light ground with a gradient, in steps of 1/255 as from a PNG.
Image spots() {
  constexpr double kCentres[][2] = {{30, 25}, {75.5, 40}, {120, 31.3}, {48, 88}, {101.7, 96}, {150, 110}, {25, 140}};
  constexpr double kGround[] = {0.86, 0.70, 0.82}, kSpot[] = {0.38, 0.27, 0.55};
  Image image = make_image(160, 176, 3);
  for (std::size_t y = 0; y < 160; ++y)
    for (std::size_t x = 0; x < 176; ++x) {
      double cover = 0;
      for (const auto& c : kCentres) {
        const double dx = static_cast<double>(x) - c[0], dy = static_cast<double>(y) - c[1];
        cover = std::max(cover, std::clamp((10.5 - std::sqrt(dx * dx + dy * dy)) / 3, 0.0, 1.0));
      }
      for (std::size_t k = 0; k < 3; ++k) {
        const double v = kGround[k] + (kSpot[k] - kGround[k]) * cover - 0.0005 * static_cast<double>(y);
        image(y, x, k) = static_cast<float>(std::round(255 * v) / 255);
      }
    }
  return image;
}

io::Metadata with(io::Metadata metadata, const std::string& key, const std::string& value) {
  metadata[key] = value;
  return metadata;
}

}  // namespace

TEST_CASE("weights of version 0.1 find what they found: by the whole image, with responses as scores") {
  Context<Cpu> context({.threads = 2});
  Net net(context);
  const auto metadata = io::load_weights(std::string(NUCDET_TEST_DIR) + "/golden/weights_0_1.safetensors", net);
  const data::Normalization rule = io::normalization_from(metadata, "old");
  const detect::LocalMaxima peaks = io::peaks_from(metadata, "old");
  CHECK(data::name_of(rule) == "image");
  CHECK((peaks.relative == 0.6 && peaks.absolute == 0.2f && peaks.full_scale == 0 && peaks.radius == 5));
  // What the program of that version printed for a PNG of these spots.
  const std::vector<Nucleus> wanted{{{29.39028, 25.17955}, 3.7436259f},  {{119.54053, 30.71616}, 3.70664f},
                                    {{75.03518, 39.89285}, 3.7346907f},  {{47.49880, 87.78382}, 3.8096733f},
                                    {{101.01276, 96.01953}, 3.8009067f}, {{149.89227, 109.83699}, 3.8969367f},
                                    {{24.68074, 139.89096}, 4.022725f}};
  const auto found = detect::Detector(net, peaks, rule)(spots());
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CHECK(squared_distance(found[i].centre, wanted[i].centre) < 1e-4);
    CHECK(found[i].score == Approx(wanted[i].score).epsilon(1e-4));
  }
}

TEST_CASE("normalisation goes to metadata and comes from it, to the bit") {
  data::FixedNormalization fixed{{{0.1f, 1.0f / 3, 0.7f}, {0.123456789f, 1e-3f, 2}}};
  data::TissueNormalization tissue{.otherwise = fixed};
  tissue.tissue.chroma = 0.07f, tissue.least = 900;
  const io::Metadata metadata = io::to_metadata(fixed);
  CHECK(metadata.at("normalization") == "fixed");
  CHECK(std::get<data::FixedNormalization>(io::normalization_from(metadata, "here")).statistics == fixed.statistics);
  const auto again = std::get<data::TissueNormalization>(io::normalization_from(io::to_metadata(tissue), "here"));
  CHECK(again.otherwise.statistics == fixed.statistics);
  CHECK((again.tissue.chroma == 0.07f && again.least == 900));
  CHECK(io::to_metadata(data::ImageNormalization{}) == io::Metadata{{"normalization", "image"}});
  CHECK(data::name_of(io::normalization_from({{"normalization", "image"}}, "here")) == "image");
  CHECK(data::name_of(io::normalization_from({}, "here")) == "image");  // of version 0.1, or of another program
}

TEST_CASE("normalisation that cannot be used is refused with the file and the entry") {
  io::Metadata good = io::to_metadata(data::FixedNormalization{});
  const auto refused = [&](const std::string& key, const std::string& value) {
    CAPTURE(value);
    CHECK_THROWS_WITH(io::normalization_from(with(good, key, value), "w.safetensors"),
                      Contains("w.safetensors: metadata 'normalization"));
    CHECK_THROWS_AS(io::normalization_from(with(good, key, value), "w.safetensors"), IoError);
  };
  refused("normalization", "Fixed");
  for (const char* value : {"", "0.1 0.2", "0.1 0.2 0.3 0.4", "0.1 0.2 nan", "0.1 inf 0.2", "0.1,0.2,0.3", "1 2 3x"})
    refused("normalization.mean", value);
  for (const char* value : {"0.1 0 0.2", "0.1 -1 0.2", "0.1 1e-300 0.2"}) refused("normalization.deviation", value);
  good.erase("normalization.mean");
  CHECK_THROWS_WITH(io::normalization_from(good, "w"), Contains("'normalization.mean' is missing"));
}

TEST_CASE("peaks go to metadata and come from it; files of version 0.1 keep responses and their defaults") {
  const detect::LocalMaxima peaks{.radius = 7, .relative = 0.25, .absolute = 0.42f, .full_scale = 1, .smoothing = 2};
  io::Metadata metadata{{"peaks.floor", "9"}, {"network", "x"}};
  io::write_peaks(peaks, metadata);
  CHECK(metadata == io::Metadata{{"network", "x"},
                                 {"peaks.full_scale", "1"},
                                 {"peaks.radius", "7"},
                                 {"peaks.smoothing", "2"},
                                 {"peaks.threshold", "0.42"},
                                 {"peaks.xi", "0.25"}});
  const auto read = io::peaks_from(metadata, "here");
  CHECK((read.radius == 7 && read.relative == 0.25 && read.absolute == 0.42f && read.full_scale == 1));
  CHECK(read.smoothing == 2);
  const auto scaled = io::peaks_from({{"peaks.full_scale", "5"}, {"peaks.threshold", "0.5"}}, "here");
  CHECK((scaled.absolute == 2.5f && scaled.relative == 0 && scaled.threshold() == 0.5f));
  const auto old = io::peaks_from({{"peaks.floor", "1.8"}, {"peaks.xi", "0.45"}}, "here");
  CHECK((old.absolute == 1.8f && old.relative == 0.45 && old.full_scale == 0));
  const auto oldest = io::peaks_from({}, "here");
  CHECK((oldest.absolute == 0.2f && oldest.relative == 0.4 && oldest.full_scale == 0));
}

TEST_CASE("peaks that cannot be used are refused with the file and the entry") {
  const io::Metadata old{{"peaks.floor", "1.8"}}, now{{"peaks.full_scale", "5"}};
  const auto refused = [](const io::Metadata& metadata, const std::string& key, const std::string& value) {
    CHECK_THROWS_WITH(io::peaks_from(with(metadata, key, value), "w.safetensors"),
                      Contains("w.safetensors") && Contains("'" + key + "'") && Contains("'" + value + "'"));
    CHECK_THROWS_AS(io::peaks_from(with(metadata, key, value), "w.safetensors"), IoError);
  };
  for (const char* value : {"inf", "nan", "-1", "1e300", "", "one", "1 2", "0x1", " 1"}) {
    refused(old, "peaks.floor", value);
    refused(now, "peaks.threshold", value);
    refused(now, "peaks.full_scale", value);
  }
  for (const char* value : {"5.5", "0", "-3", "inf", "1001"}) refused(now, "peaks.radius", value);
  for (const char* value : {"1.5", "nan"}) refused(old, "peaks.xi", value);
  for (const char* value : {"101", "-1"}) refused(old, "peaks.smoothing", value);
}

TEST_CASE("weights that are not finite, or no variances, are refused with the file and the tensor; none is loaded") {
  Context<Cpu> context({.threads = 1});
  Net net(context);
  io::SafeTensorFile file;
  io::append_weights(net, file);
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& ending, float value) {
    io::SafeTensorFile bad = file;
    for (io::SafeTensor& tensor : bad.tensors) {
      if (!tensor.name.ends_with(ending)) continue;
      std::memcpy(tensor.data.data() + tensor.data.size() - sizeof value, &value, sizeof value);
      io::write_safetensors(folder / "bad.safetensors", bad);
      const float before = net.parameters()->values().view<float>().data[0];
      net.parameters()->values().view<float>().data[0] = before + 1;
      CHECK_THROWS_WITH(io::load_weights(folder / "bad.safetensors", net),
                        Contains("bad.safetensors") && Contains("'" + tensor.name + "'"));
      CHECK(net.parameters()->values().view<float>().data[0] == before + 1);
      return;
    }
    FAIL("no tensor ends with " + ending);
  };
  refused(".weight", std::numeric_limits<float>::quiet_NaN());
  refused(".bias", -std::numeric_limits<float>::infinity());
  refused(".running_var", std::numeric_limits<float>::infinity());
  refused(".running_var", -1);
  refused(".running_mean", std::numeric_limits<float>::infinity());
}

TEST_CASE("weights are compared with the network by their header, before any of them is read") {
  Context<Cpu> context({.threads = 1});
  Net net(context);
  io::SafeTensorFile file;
  io::append_weights(net, file);
  const TemporaryFolder folder;
  const auto path = folder / "big.safetensors";
  // The first tensor claims 8 TB, which the file has, as a hole.
  constexpr Index kMost = Index{1} << 41;
  const std::string header = message("{\"", file.tensors[0].name, "\":{\"dtype\":\"F32\",\"shape\":[", kMost,
                                     "],\"data_offsets\":[0,", 4 * kMost, "]}}");
  const std::uint64_t length = header.size();
  put(path, std::string(reinterpret_cast<const char*>(&length), 8) + header);
  std::error_code cannot;
  std::filesystem::resize_file(path, 8 + length + 4 * static_cast<std::uintmax_t>(kMost), cannot);
  if (cannot) return;  // the file system has not so large files
  CHECK_THROWS_WITH(io::load_weights(path, net), Contains("big.safetensors: the weights do not fit the network") &&
                                                     Contains(message("is ", kMost, ", wanted")));
}

TEST_CASE("of many mismatches 20 lines are told, names without what terminals obey") {
  Context<Cpu> context({.threads = 1});
  Net net(context);
  const auto lines_for = [&](int unknown) {
    io::SafeTensorFile file;
    io::append_weights(net, file);
    const std::vector<float> one{1};
    for (int i = 0; i < unknown; ++i)
      file.tensors.push_back(io::make_safe_tensor<float>(message("\x1b[31m", i), {1}, one));
    const std::string text = error_of<IoError>([&] { io::apply_weights(file, net, "many"); });
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find(message("(", unknown, " mismatches)")) != std::string::npos);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines_for(3) == 3);
  CHECK(lines_for(20) == 20);
  CHECK(lines_for(21) == 20);
  CHECK(lines_for(5000) == 20);
}

TEST_CASE("a counter of PyTorch's is passed over, however large") {
  Context<Cpu> context({.threads = 1});
  Net net(context);
  io::SafeTensorFile file;
  io::append_weights(net, file);
  const std::vector<std::int64_t> one{1};
  file.tensors.push_back(io::make_safe_tensor<std::int64_t>("in.norm1.num_batches_tracked", {1}, one));
  const TemporaryFolder folder;
  io::write_safetensors(folder / "w", file);
  io::SafeTensorReader reader(folder / "w");
  CHECK(io::read_weights(reader, net).find("in.norm1.num_batches_tracked") == nullptr);
  CHECK_NOTHROW(io::load_weights(folder / "w", net));
}

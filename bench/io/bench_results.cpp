#include <filesystem>
#include <fstream>
#include <iterator>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "nucdet/io/annotation_store.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/geojson.hpp"

namespace {

using namespace nucdet;

/// Nuclei of two classes all over a slide.
const io::DetectionReport& slide() {
  static const io::DetectionReport report = [] {
    io::DetectionReport made{"slide.svs", 100000, 80000};
    made.model = "model.safetensors", made.pixel_size = {0.25, 0.25, "Aperio MPP"};
    made.classes = ClassNames({"tumour", "stroma"});
    std::uint64_t state = 1;
    const auto next = [&] {
      return static_cast<double>((state = state * 6364136223846793005u + 1442695040888963407u) >> 11) / (1ull << 53);
    };
    for (int i = 0; i < 1000000; ++i)
      made.nuclei.push_back(
          {{next() * 1e5, next() * 8e4}, static_cast<float>(next()), i % 2, static_cast<float>(next())});
    return made;
  }();
  return report;
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// A million nuclei to a file. `grown_mb` is what the process's peak of memory grew by: run one benchmark a call
/// (--benchmark_filter) to know it.
template <class Write>
void write(benchmark::State& state, const char* name, Write&& write_to) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / name;
  slide();
  const double before = peak_mb();
  for (auto _ : state) write_to(path);
  state.counters["grown_mb"] = peak_mb() - before;
  state.counters["file_mb"] = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  std::filesystem::remove(path);
}

void write_geojson(benchmark::State& state) {
  write(state, "nucdet_bench.geojson", [](const auto& path) { io::write_geojson(path, slide()); });
}
void write_geojson_ids(benchmark::State& state) {
  write(state, "nucdet_bench.geojson", [](const auto& path) { io::write_geojson(path, slide(), {.ids = true}); });
}
void write_geojson_gz(benchmark::State& state) {
  write(state, "nucdet_bench.geojson.gz", [](const auto& path) { io::write_geojson(path, slide()); });
}
void write_json(benchmark::State& state) {
  write(state, "nucdet_bench.json", [](const auto& path) { io::write_detections_json(path, slide()); });
}
void write_csv(benchmark::State& state) {
  write(state, "nucdet_bench.csv",
        [](const auto& path) { io::write_points(path, slide().nuclei, slide().classes, slide().pixel_size); });
}
void write_store(benchmark::State& state) {
  write(state, "nucdet_bench.db", [](const auto& path) { io::write_annotation_store(path, slide()); });
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return text;
}

/// A million nuclei from memory; `grown_mb` as above, without the text.
template <class Parse>
void read(benchmark::State& state, const std::string& text, Parse&& parse) {
  const double before = peak_mb();
  for (auto _ : state) benchmark::DoNotOptimize(parse(text).points.size());
  state.counters["grown_mb"] = peak_mb() - before;
}
void read_geojson(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() / "nucdet_bench.geojson";
  io::write_geojson(path, slide());
  read(state, text_of(path), [](const std::string& text) { return io::parse_geojson(text, "bench"); });
}
void read_json(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() / "nucdet_bench.json";
  io::write_detections_json(path, slide());
  read(state, text_of(path), [](const std::string& text) { return io::parse_detections_json(text, "bench"); });
}
void read_store(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() / "nucdet_bench.db";
  io::write_annotation_store(path, slide());
  read(state, path.string(), [](const std::string& name) { return io::read_annotation_store(name); });
  std::filesystem::remove(path);
}

#define NUCDET_ONCE(f) BENCHMARK(f)->Unit(benchmark::kMillisecond)->Iterations(1)
NUCDET_ONCE(write_geojson);
NUCDET_ONCE(write_geojson_ids);
NUCDET_ONCE(write_geojson_gz);
NUCDET_ONCE(write_json);
NUCDET_ONCE(write_csv);
NUCDET_ONCE(write_store);
NUCDET_ONCE(read_geojson);
NUCDET_ONCE(read_json);
NUCDET_ONCE(read_store);

}  // namespace

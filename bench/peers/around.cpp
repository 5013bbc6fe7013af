/// Our side of bench/peers/around.py: the work around the network. Reads one job a line from standard input:
///
///   labels   THREADS OUT POINTS SIZE COUNT    COUNT proximity maps of SIZE x SIZE pixels (alpha 3, radius 15)
///   peaks    THREADS OUT MAP SIZE RADIUS      positions of at least 0.25
///   matching THREADS OUT PREDICTED TRUTH      number of pairs and total distance, gate 16 (runs on one thread)
///   crops    THREADS OUT IMAGE SIZE           4 augmented, normalised crops of 200 x 200
///   normalize THREADS OUT IMAGE SIZE          statistics of the image, and the image normalised by them
///   decode   THREADS OUT PNG                  the image
///
/// Files are raw: float64 pairs for points and results, float32 for maps and RGB images. The answer is the wall and the
/// processor time of one run, in microseconds.
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/label/render_batch.hpp"
#include "nucdet/match/hungarian.hpp"

namespace {

using namespace nucdet;

template <class T>
std::vector<T> read_raw(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw IoError(message(path, ": cannot be read"));
  std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0).read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

template <class T>
void write_raw(const std::string& path, const T* values, std::size_t count) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
  if (!file.flush()) throw IoError(message(path, ": cannot be written"));
}

struct Job {
  std::string kind, out;
  std::istringstream arguments;

  template <class T>
  T next() {
    T value{};
    if (!(arguments >> value)) throw ArgumentError(message(kind, ": too few arguments"));
    return value;
  }
  Image next_image() {
    const auto values = read_raw<float>(next<std::string>());
    const Index size = next<Index>();
    Image image = make_image(size, size, 3);
    if (values.size() != image.size()) throw ArgumentError(message(kind, ": the image is not ", size, " pixels wide"));
    std::copy(values.begin(), values.end(), image.data());
    return image;
  }
};

double processor_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Microseconds {
  double wall = 0, processor = 0;
};

/// One run to warm up, then the mean of as many as fill a fiftieth of a second.
template <class Work>
Microseconds time_runs(const Work& work) {
  work();
  const auto start = std::chrono::steady_clock::now();
  const double processor = processor_seconds();
  double wall = 0;
  int runs = 0;
  for (; wall < 0.02; ++runs) {
    work();
    wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return {1e6 * wall / runs, 1e6 * (processor_seconds() - processor) / runs};
}

Microseconds labels(Context<Cpu>& context, Job& job) {
  const auto points = read_raw<Point>(job.next<std::string>());
  const Index size = job.next<Index>(), count = job.next<Index>();
  const std::vector<AnnotatedPoints> of_images(static_cast<std::size_t>(count), AnnotatedPoints{points});
  std::vector<float> maps(static_cast<std::size_t>(count * size * size));
  const Microseconds taken = time_runs([&] {
    label::render_batch(context, label::ProximityMap{}, std::span<const AnnotatedPoints>(of_images),
                        View<float>(maps.data(), {count, size, size, 1}));
  });
  write_raw(job.out, maps.data(), maps.size());
  return taken;
}

Microseconds peaks(Context<Cpu>& context, Job& job) {
  const auto values = read_raw<float>(job.next<std::string>());
  const Index size = job.next<Index>(), radius = job.next<Index>();
  Tensor<Cpu> map = context.make({1, size, size, 1});  // in the memory that a network answers in
  if (static_cast<Index>(values.size()) != map.shape().count())
    throw ArgumentError(message(job.kind, ": the map is not ", size, " pixels wide"));
  std::copy(values.begin(), values.end(), map.view<float>().data);
  const detect::LocalMaxima settings{.radius = radius, .absolute = 0.25f, .refine = false};
  std::vector<Nucleus> found;
  const Microseconds taken =
      time_runs([&] { found = detect::find_peaks(context, std::as_const(map).view<const float>(), settings); });
  const std::vector<Point> centres = centres_of(found);
  write_raw(job.out, centres.data(), centres.size());
  return taken;
}

Microseconds matching(Job& job) {
  const auto predicted = read_raw<Point>(job.next<std::string>()), truth = read_raw<Point>(job.next<std::string>());
  match::Matching found;
  const Microseconds taken = time_runs([&] { found = match::HungarianMatcher{.gate = 16}(predicted, truth); });
  const double numbers[] = {static_cast<double>(found.hits()), found.total_distance()};
  write_raw(job.out, numbers, 2);
  return taken;
}

Microseconds crops(Context<Cpu>& context, Job& job) {
  data::Dataset set;
  set.push_back(data::make_sample(context, job.next_image(), {}, 1.0, "image"));
  const data::CropSampler sampler;
  Tensor<Cpu> images = context.make({sampler.batch, sampler.crop, sampler.crop, 3});
  std::vector<AnnotatedPoints> points;
  const Microseconds taken = time_runs([&] { sampler.draw(context, set, 0, images.view<float>(), points); });
  write_raw(job.out, images.view<float>().data, static_cast<std::size_t>(images.shape().count()));
  return taken;
}

Microseconds normalize(Context<Cpu>& context, Job& job) {
  const Image image = job.next_image();
  Image result = image;
  const Microseconds taken = time_runs(
      [&] { data::normalize(context, view_of(image), data::statistics_of(context, view_of(image)), view_of(result)); });
  write_raw(job.out, result.data(), result.size());
  return taken;
}

Microseconds decode(Job& job) {
  const auto path = job.next<std::string>();
  Image image;
  const Microseconds taken = time_runs([&] { image = io::read_image(path); });
  write_raw(job.out, image.data(), image.size());
  return taken;
}

Microseconds run(Context<Cpu>& context, Job& job) {
  if (job.kind == "labels") return labels(context, job);
  if (job.kind == "peaks") return peaks(context, job);
  if (job.kind == "matching") return matching(job);
  if (job.kind == "crops") return crops(context, job);
  if (job.kind == "normalize") return normalize(context, job);
  if (job.kind == "decode") return decode(job);
  throw ArgumentError(message("there is no job '", job.kind, "'"));
}

}  // namespace

int main() try {
  std::unique_ptr<Context<Cpu>> context;
  for (std::string line; std::getline(std::cin, line);) {
    Job job{{}, {}, std::istringstream(line)};
    job.kind = job.next<std::string>();
    const int threads = job.next<int>();
    job.out = job.next<std::string>();
    if (!context || context->threads() != threads)
      context = std::make_unique<Context<Cpu>>(CpuOptions{.threads = threads});
    const Microseconds taken = run(*context, job);
    std::cout << taken.wall << ' ' << taken.processor << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << "peer_around: " << error.what() << '\n';
  return 1;
}

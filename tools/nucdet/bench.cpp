#include <algorithm>
#include <cmath>
#include <cstdio>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/core/device_timer.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/train/trainer.hpp"

#include "commands.hpp"
#include "device.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

constexpr double kNucleiPerPixel = 490e-6;                // of MoNuSeg at 40x
constexpr double kSquareMillimetres = 0.25e-3 * 0.25e-3;  // of a reference pixel

/// One row of the table.
struct Figure {
  std::string what;
  Shape input;
  double milliseconds = 0, flop = 0, nuclei = 0;
  std::size_t memory = 0;
};

/// The median of runs that take about `seconds` together, five at least, after three that do not count: the first
/// makes plans, the second may record a graph.
template <class Device, class Work>
double median_milliseconds(Context<Device>& context, double seconds, const Work& work) {
  for (int k = 0; k < 3; ++k) work();
  context.synchronize();
  std::vector<double> times;
  double spent = 0;
  while (times.size() < 5 || (spent < 1e3 * seconds && times.size() < 1000)) {
    times.push_back(milliseconds_of(context, work));
    spent += times.back();
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// Bytes in use: the most so far on the CPU; on a GPU all that the device has given away, by whatever path.
std::size_t memory_in_use(Context<Cpu>& context) { return context.memory().statistics().peak; }
#ifdef NUCDET_WITH_CUDA
std::size_t memory_in_use(Context<Cuda>& context) { return context.device().memory - context.free_memory(); }
#endif

/// Numbers in +-1: products of zeros are quicker than others on some devices.
template <class Device>
Tensor<Device> random_tensor(Context<Device>& context, const Shape& shape, DType type) {
  RandomStream random{1};
  std::vector<float> numbers(static_cast<std::size_t>(shape.count()));
  for (float& v : numbers) v = static_cast<float>(random.uniform(-1, 1));
  Tensor<Device> tensor = context.make(shape);
  context.upload(tensor.memory(), numbers.data(), numbers.size() * sizeof(float));
  return nn::converted(context, tensor, type);
}

/// The yardstick: a product of matrices, as a convolution of 1x1.
template <class Device>
Figure matrix_product(Context<Device>& context, double seconds) {
  const Index channels = std::is_same_v<Device, Cpu> ? 512 : 4096;
  const auto problem = ops::same_convolution({1, 64, 64, channels}, channels, 1, 1);
  Figure figure{"matrix product", problem.large, 0, static_cast<double>(problem.flops())};
  const DType type = nn::map_type(context, DType::f32);
  const Tensor<Device> x = random_tensor(context, problem.large, type),
                       w = random_tensor(context, {1, 1, 1, problem.weights()}, type);
  Tensor<Device> y = context.make(problem.small, type);
  nn::dispatch<Device>(type, [&]<class T>() {
    figure.milliseconds = median_milliseconds(context, seconds, [&] {
      ops::conv2d<T>(context, problem, x.template view<const T>(), w.template view<const T>().data, {},
                     y.template view<T>());
    });
  });
  return figure;
}

template <class Device>
Figure forward(const nn::Model<Device>& model, const Image& image, double seconds) {
  Context<Device>& context = model.context();
  const Tensor<Device> x = to_device(context, view_of(image));
  const auto network = nn::for_inference(model);
  Tensor<Device> y;
  nn::Workspace<Device> workspace;
  CapturedWork<Device> work(context, [&] { y = Tensor<Device>(), y = network.forward(context, workspace, x); });
  Figure figure{"forward", x.shape(), 0, static_cast<double>(model.plan(x.shape()).total_flops())};
  figure.milliseconds = median_milliseconds(context, seconds, [&] { work.run(); });
  if (!work.note().empty()) std::fprintf(stderr, "not captured: %s\n", work.note().c_str());
  figure.memory = memory_in_use(context);
  return figure;
}

/// From an image in the device's memory to points in the host's. Without trained weights the floor is set so that as
/// many points are found as tissue has nuclei.
template <class Device>
Figure detect(const nn::Model<Device>& model, const Image& image, detect::LocalMaxima peaks,
              const data::Normalization& normalization, bool trained, double seconds) {
  Context<Device>& context = model.context();
  const Tensor<Device> x = to_device(context, view_of(image));
  const auto view = x.template view<const float>();
  const auto statistics = data::statistics_of(context, normalization, view);
  const Index tile = std::max<Index>(1024, data::round_up(std::max(x.shape().h, x.shape().w), 16));
  if (!trained) {
    peaks.absolute = 0;
    auto all = detect::Detector(model, peaks, {}, {.cell = tile}).resident_candidates(view, statistics);
    const auto wanted = static_cast<std::size_t>(kNucleiPerPixel * static_cast<double>(x.shape().pixels()));
    std::sort(all.begin(), all.end(), [](const Nucleus& a, const Nucleus& b) { return a.score > b.score; });
    if (all.size() > wanted) peaks.absolute = all[wanted].score;
  }
  const detect::Detector detector(model, peaks, {}, {.cell = tile});
  std::size_t found = 0;
  Figure figure{"detect", x.shape(), 0, static_cast<double>(model.plan(x.shape()).total_flops())};
  figure.milliseconds =
      median_milliseconds(context, seconds, [&] { found = detector.resident_candidates(view, statistics).size(); });
  figure.nuclei = static_cast<double>(found), figure.memory = memory_in_use(context);
  return figure;
}

/// Crops, labels, forward, backward, the optimiser. Counted as three forward passes.
template <class Device>
Figure step(nn::Model<Device>& model, const BenchOptions& o) {
  Context<Device>& context = model.context();
  data::Dataset dataset;
  const auto made = data::synthesize({.height = 2 * o.crop, .width = 2 * o.crop, .density = 1e6 * kNucleiPerPixel});
  dataset.push_back(data::make_sample(context.host(), made.image, made.points, 1, "synthetic"));
  train::TrainSettings settings;
  settings.rate = {.schedule = optim::Constant{.rate = 1e-6}, .start = 1e-6};
  train::Trainer trainer(model, loss::WeightedSquaredError{}, label::ProximityMap{}, optim::Sgd{},
                         data::CropSampler{.crop = o.crop, .batch = o.batch}, settings);
  const Shape shape{o.batch, o.crop, o.crop, model.in_channels()};
  Figure figure{"step", shape, 0, 3 * static_cast<double>(model.plan(shape).total_flops())};
  figure.milliseconds = median_milliseconds(context, o.seconds, [&] { trainer.step({dataset}); });
  if (const std::string note = trainer.capture_note(); !note.empty())
    std::fprintf(stderr, "not captured: %s\n", note.c_str());
  figure.memory = memory_in_use(context);
  return figure;
}

void print(const std::vector<Figure>& figures) {
  const double peak = figures[0].flop / figures[0].milliseconds;
  std::printf("%-15s %-18s %10s %10s %9s %9s %6s %9s %12s\n", "what", "input", "ms", "images/s", "mm2/s", "GFLOP/s",
              "share", "MiB", "nuclei/s");
  for (const Figure& f : figures) {
    const double per_second = 1e3 / f.milliseconds;
    std::printf("%-15s %-18s %10.3f %10.1f %9.3f %9.1f %5.1f%% ", f.what.c_str(), message(f.input).c_str(),
                f.milliseconds, per_second * static_cast<double>(f.input.n),
                per_second * kSquareMillimetres * static_cast<double>(f.input.pixels()), 1e-9 * f.flop * per_second,
                100 * f.flop / f.milliseconds / peak);
    std::printf("%9zu ", f.memory >> 20);
    if (f.nuclei > 0)
      std::printf("%12.0f\n", f.nuclei * per_second);
    else
      std::printf("%12s\n", "-");
  }
}

Json json_of(const BenchOptions& o, const std::string& device, const models::NetworkChoice& network,
             const std::vector<Figure>& figures) {
  Json records = Json::array();
  for (const Figure& f : figures) {
    const double per_second = 1e3 / f.milliseconds;
    records.push_back({{"format", "nucdet-bench-1"},
                       {"what", f.what},
                       {"network", network.name},
                       {"base", network.base},
                       {"batch", f.input.n},
                       {"height", f.input.h},
                       {"width", f.input.w},
                       {"device", device},
                       {"precision", o.device.precision},
                       {"milliseconds", f.milliseconds},
                       {"images_per_second", per_second * static_cast<double>(f.input.n)},
                       {"mm2_per_second", per_second * kSquareMillimetres * static_cast<double>(f.input.pixels())},
                       {"flop_per_second", f.flop * per_second},
                       {"peak_bytes", f.memory},
                       {"nuclei_per_second", f.nuclei * per_second}});
  }
  return records;
}

template <class Device>
int bench_on(Context<Device>& context, const BenchOptions& o, const std::string& device) {
  std::unique_ptr<nn::Model<Device>> model;
  models::NetworkChoice network = o.network;
  detect::LocalMaxima peaks;
  data::Normalization normalization;
  if (o.model.empty()) {
    model = models::make_network(context, network);
  } else {
    models::LoadedModel<Device> loaded = models::load_model(context, o.model);
    model = std::move(loaded.model), peaks = loaded.peaks, normalization = loaded.normalization;
    network = models::network_from(loaded.metadata, o.model);
  }
  Image image;
  if (o.image.empty())
    image = data::synthesize({.height = o.height, .width = o.width, .density = 1e6 * kNucleiPerPixel}).image;
  else
    image = io::read_image(o.image);
  std::fprintf(stderr, "%s\n", describe(network).c_str());
  std::vector<Figure> figures{matrix_product(context, o.seconds)};
  figures.push_back(forward(*model, image, o.seconds));
  figures.push_back(detect(*model, image, peaks, normalization, !o.model.empty(), o.seconds));
  if (o.device.precision != "fp16") figures.push_back(step(*model, o));
  const bool printed = o.json && (o.json->empty() || *o.json == "-");
  if (printed)
    print_json(json_of(o, device, network, figures));
  else
    print(figures);
  if (o.json && !printed) io::write_atomically(*o.json, json_of(o, device, network, figures).dump(2) + '\n');
  return 0;
}

}  // namespace

int bench(const BenchOptions& o) {
  OutputGuard guard;
  guard.input(o.model), guard.input(o.image);
  if (o.json && *o.json != "-") guard.output(*o.json, io::Product::figures);
  const std::string device = choose_device(o.device).line;
  return on_device(o.device, {.measure = o.measure}, false,
                   [&](auto& context) { return bench_on(context, o, device); });
}

}  // namespace nucdet::program

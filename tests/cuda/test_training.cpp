// Training and detection on a CUDA device: the CPU's losses, the same bits each time, the same points.
#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/class_cross_entropy.hpp"
#include "nucdet/loss/cross_entropy.hpp"
#include "nucdet/loss/squared_error.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/adam.hpp"
#include "nucdet/train/checkpoint.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

constexpr nn::MicroNetOptions kSmall{.base = 2};

data::Dataset tissue(Context<Cpu>& context, int images, Index size, const Areas& areas = {}) {
  data::Dataset dataset;
  for (int i = 0; i < images; ++i) {
    const auto made = data::synthesize({.height = size, .width = size + 16 * i, .seed = static_cast<std::uint64_t>(i)});
    std::vector<int> classes;
    for (std::size_t k = 0; k < made.points.size(); ++k) classes.push_back(static_cast<int>(k % 3));
    dataset.push_back(data::make_sample(context, made.image, made.points, 1, message("image ", i), i % 2 ? "a" : "b",
                                        {}, classes, areas));
  }
  return dataset;
}

template <class Rule, class D>
struct Training {
  Context<D> context;
  nn::Network<nn::MicroNet<kSmall>, 3, D> net;
  train::Trainer<std::tuple<train::Task<loss::WeightedSquaredError, label::ProximityMap>>, Rule, D> trainer;

  Training(typename Context<D>::Options options, Rule rule, double clip)
      : context(options),
        net(context),
        trainer(net, loss::WeightedSquaredError{}, label::ProximityMap{}, rule,
                data::CropSampler{.crop = 24, .batch = 2, .seed = 4},
                {.iterations = 1000,
                 .rate = {.schedule = optim::Constant{.rate = 2e-3}, .start = 2e-3},
                 .clip_norm = clip}) {}

  std::vector<double> losses(const train::Sources& sources, int steps) {
    std::vector<double> all;
    for (int k = 0; k < steps; ++k) all.push_back(trainer.step(sources).loss);
    return all;
  }
  std::vector<double> weights() { return numbers_of(context, net.parameters()->values()); }
};

}  // namespace

TEST_CASE("cuda: losses and their gradients") {
  Context<Cpu> cpu({.threads = 1});
  Context<Cuda> gpu;
  const auto check = [&](const auto& loss, Index maps, std::vector<float> weights, double classes = 1) {
    const Shape o{2, 37, 23, maps}, y{2, 37, 23, loss.target_maps(static_cast<int>(maps))};
    const auto a = random_numbers(o.count(), 1);
    auto b = random_numbers(y.count(), 2);
    for (double& v : b) v = 0.5 * (v + 1) * classes;  // in [0, 1), or labels of classes
    const Shape pixels{o.n, o.h, o.w, 1};
    auto counted = random_numbers(pixels.count(), 3);
    for (double& v : counted) v = v < 0.2 ? 0 : 1;
    const auto run = [&](auto& context, bool masked) {
      const auto p = on_device<float>(context, o, a), t = on_device<float>(context, y, b),
                 m = on_device<float>(context, pixels, counted);
      auto g = context.make(o);
      const double value = loss::evaluate<float>(context, loss, p.template view<const float>(),
                                                 t.template view<const float>(), weights, g.template view<float>(),
                                                 masked ? m.template view<const float>() : View<const float>());
      return std::pair(value, numbers_of(context, g));
    };
    for (const bool masked : {false, true}) {
      const auto found = run(gpu, masked), wanted = run(cpu, masked);
      CHECK(found.first == Approx(wanted.first).epsilon(kElementwise));
      CHECK(difference(found.second, wanted.second) < 2 * kElementwise);
      CHECK(run(gpu, masked) == found);
    }
  };
  check(loss::WeightedSquaredError{}, 1, {}), check(loss::WeightedSquaredError{}, 3, {0.5f, 2.0f});
  check(loss::SquaredError{}, 1, {1.0f, 0.0f}), check(loss::CrossEntropy{.background = 0.5f, .nucleus = 3}, 2, {});
  check(loss::ClassCrossEntropy::balanced({3, 1, 2}), 3, {2.0f, 0.5f}, 3.49);
}

TEST_CASE("cuda: crops are cut on the device with the CPU's random numbers") {
  Context<Cuda> gpu;
  const data::Dataset dataset = tissue(gpu.host(), 3, 64);
  data::StandardAugmentation often;  // every step in every second crop
  std::apply([](auto&... step) { ((step.chance = 0.5), ...); }, often.steps);
  // JPEG rounds: a value near a step's middle may go either way. Its own case has that tolerance.
  often.step<data::Jpeg>().chance = 0;
  for (const data::StandardAugmentation& augmentation : {often, data::no_augmentation()}) {
    data::CropSampler sampler{.crop = 48, .batch = 3, .augmentation = augmentation, .seed = 9};
    for (const std::int64_t iteration : {0, 7, 8, 9}) {
      const Shape shape{3, 48, 48, 3};
      auto on_cpu = gpu.host().make(shape);
      auto on_gpu = gpu.make(shape);
      std::vector<AnnotatedPoints> wanted, found;
      sampler.draw(gpu.host(), dataset, iteration, on_cpu.view<float>(), wanted);
      data::ResidentDataset<Cuda>(gpu, dataset).draw(gpu, sampler, iteration, on_gpu.view<float>(), found);
      CHECK(found == wanted);
      CHECK(found[0].classes.size() == found[0].points.size());
      CHECK(difference(numbers_of(gpu, on_gpu), numbers_of(gpu.host(), on_cpu)) < 5 * kElementwise);
    }
  }
}

TEST_CASE("cuda: JPEG's blocks are the CPU's within one quantisation step") {
  Context<Cuda> gpu;
  const data::Dataset dataset = tissue(gpu.host(), 1, 64);
  const Shape shape{1, 45, 45, 3};
  const auto from = to_device(gpu, view_of(dataset[0].image).window(0, 0, 45, 45));
  const auto numbers = numbers_of(gpu, from);
  for (const int quality : {30, 90}) {
    const data::Jpeg::Change change{
        .active = true, .quality = quality, .left = 3, .top = 6, .subsampled = quality == 30};
    const auto run = [&](auto& context) {
      using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
      const auto image = on_device<float>(context, shape, numbers);
      const DeviceArray<data::Jpeg::Change, D> table(context, &change, 1);
      auto copy = image;
      data::detail::apply_changes(context, table.data(), copy.template view<float>(), copy.template view<float>());
      return numbers_of(context, copy);
    };
    // A step of every coefficient of a block moves a pixel by no more than the sum of their shares; one by this:
    const double step = static_cast<double>(change.step_of(true, 63)) / 255;
    CHECK(difference(run(gpu), run(gpu.host())) < step);
  }
}

TEST_CASE("cuda: the moving average of the weights is the CPU's, and an exchange undoes itself") {
  const auto run = [](auto& context) {
    using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
    nn::Network<nn::MicroNet<kSmall>, 3, D> net(context);
    train::WeightAverage<D> average(net, 0.9);
    ops::fill(context, 2.0f, net.parameters()->values().template view<float>());
    average.update(0), average.update(1), average.exchange();
    return std::pair(numbers_of(context, net.parameters()->values()), average.numbers());
  };
  Context<Cuda> gpu({.seed = 3});
  Context<Cpu> cpu({.seed = 3});
  const auto found = run(gpu), wanted = run(cpu);
  CHECK(difference(found.first, wanted.first) < kElementwise);
  CHECK(found.second == wanted.second);
}

TEST_CASE("cuda: optimisers take the CPU's steps") {
  const auto check = [](const auto& rule) {
    using Rule = std::decay_t<decltype(rule)>;
    const std::vector<optim::Segment> segments{{0, 5000, true}, {5008, 100, false}, {5120, 64, true, true}};
    const auto run = [&](auto& context) {
      using D = std::conditional_t<std::is_same_v<decltype(context), Context<Cuda>&>, Cuda, Cpu>;
      const auto upload = [&](std::size_t count, std::uint64_t stream, double scale) {
        const auto numbers = random_numbers(static_cast<Index>(count), stream);
        std::vector<float> rounded;
        for (const double v : numbers) rounded.push_back(static_cast<float>(scale * v));
        return DeviceArray<float, D>(context, rounded.data(), count);
      };
      const auto values = upload(5200, 1, 1), gradients = upload(5200, 2, 1), state = upload(5200 * Rule::states, 3, 0);
      for (std::int64_t k = 0; k < 4; ++k)
        optim::step(context, rule, 1e-2, k, std::span(values.data(), values.size()),
                    std::span<const float>(gradients.data(), gradients.size()), std::span(state.data(), state.size()),
                    segments);
      auto all = values.read(context);
      const auto kept = state.read(context);
      all.insert(all.end(), kept.begin(), kept.end());
      return std::vector<double>(all.begin(), all.end());
    };
    Context<Cpu> cpu({.threads = 1});
    Context<Cuda> gpu;
    CHECK(difference(run(gpu), run(cpu)) < kElementwise);
  };
  check(optim::Sgd{}), check(optim::Adam{.decay = 0.1}), check(optim::Adam{.decay = 0.1, .decoupled = true});
}

TEST_CASE("cuda: fifty training steps follow the CPU's losses, and repeat bit for bit") {
  Context<Cpu> host({.threads = 2});
  const data::Dataset dataset = tissue(host, 3, 64);
  // By the header's own kernels, the oracle: the steps amplify what the fast ones round otherwise.
  const CpuOptions options{.threads = 2, .seed = 3, .kernels = nullptr};
  const auto wanted = Training<optim::Sgd, Cpu>(options, {}, 1).losses({dataset}, 50);
  Training<optim::Sgd, Cuda> first({.seed = 3}, {}, 1), second({.seed = 3}, {}, 1);
  const auto begun = first.losses({dataset}, 20);
  const auto weights = first.weights();
  const auto rest = first.losses({dataset}, 30);
  CHECK(first.trainer.capture_note().empty());
  for (std::size_t k = 0; k < 50; ++k) CHECK((k < 20 ? begun[k] : rest[k - 20]) == Approx(wanted[k]).epsilon(1e-3));
  CHECK(second.losses({dataset}, 20) == begun);
  CHECK(second.weights() == weights);
}

TEST_CASE("cuda: where a part of an image counts, training and validation are the CPU's") {
  Context<Cpu> host({.threads = 2});
  const Areas areas{{Area{{{{5, 5}, {60, 20}, {30, 63}}}}}, {Area{{{{20, 20}, {40, 20}, {30, 40}}}}}};
  const data::Dataset limited = tissue(host, 2, 64, areas), whole = tissue(host, 2, 64);
  Training<optim::Sgd, Cpu> cpu({.threads = 2, .seed = 3, .kernels = nullptr}, {}, 1);
  Training<optim::Sgd, Cuda> gpu({.seed = 3}, {}, 1);
  const auto check = [&](const train::Sources& sources, int steps) {
    const auto wanted = cpu.losses(sources, steps), found = gpu.losses(sources, steps);
    for (std::size_t k = 0; k < wanted.size(); ++k) CHECK(found[k] == Approx(wanted[k]).epsilon(1e-3));
    return found;
  };
  const auto found = check({limited}, 4);
  check({whole}, 2), check({limited, &whole}, 2);  // what was captured for one kind of data is not used for another
  Training<optim::Sgd, Cuda> elsewhere({.seed = 3}, {}, 1);
  CHECK(elsewhere.losses({whole}, 4) != found);
  const auto validated = [&](const auto& net) {
    return train::validate(net, loss::WeightedSquaredError{}, label::ProximityMap{}, limited,
                           {.peaks = {.absolute = 0.01f}, .least_nuclei = 1});
  };
  CHECK(validated(gpu.net).loss == Approx(validated(cpu.net).loss).epsilon(1e-3));
}

TEST_CASE("cuda: training in bf16 learns, and a run goes on from a checkpoint bit for bit") {
  Context<Cpu> host({.threads = 1});
  const data::Dataset dataset = tissue(host, 2, 64), other = tissue(host, 1, 80);
  const CudaOptions options{.seed = 3, .precision = Precision::bf16};
  Training<optim::Adam, Cuda> whole(options, {}, 0), begun(options, {}, 0), resumed(options, {}, 0);
  const train::Sources sources{dataset, &other};
  const auto losses = whole.losses(sources, 24);
  double early = 0, late = 0;
  for (std::size_t k = 0; k < 8; ++k) early += losses[k], late += losses[16 + k];
  CHECK(late < 0.95 * early);
  begun.losses(sources, 6);
  const auto path = std::filesystem::temp_directory_path() / "nucdet_cuda_checkpoint.safetensors";
  train::save_checkpoint(path, begun.trainer, {});
  train::restore_checkpoint(io::read_safetensors(path), path.string(), resumed.trainer);
  std::filesystem::remove(path);
  CHECK(resumed.losses(sources, 4) == std::vector<double>(losses.begin() + 6, losses.begin() + 10));
}

TEST_CASE("cuda: blocks frozen between captured steps stay as they are") {
  Context<Cpu> host({.threads = 1});
  const data::Dataset dataset = tissue(host, 1, 64);
  Training<optim::Sgd, Cuda> training({.seed = 3}, {}, 0);
  training.losses({dataset}, 3);
  const std::string block = "down1";
  training.net.freeze({&block, 1});
  const auto before = training.weights();
  training.losses({dataset}, 3);
  const auto after = training.weights();
  bool kept = true, moved = false;
  for (const auto& e : training.net.parameters()->entries())
    for (Index i = e.offset; !e.statistic && i < e.offset + e.count; ++i) {
      const bool same = before[static_cast<std::size_t>(i)] == after[static_cast<std::size_t>(i)];
      if (e.frozen) kept = kept && same;
      moved = moved || !same;
    }
  CHECK(kept);
  CHECK(moved);
}

TEST_CASE("cuda: images that come to lie where others lay are taken to the device again") {
  Context<Cuda> gpu;
  data::Dataset dataset = tissue(gpu.host(), 2, 32);
  const data::ResidentDataset<Cuda> resident(gpu, dataset);
  CHECK(resident.holds(dataset));
  data::Dataset moved = std::move(dataset);
  CHECK_FALSE(resident.holds(moved));
  dataset = std::move(moved);  // back with the same images
  CHECK(resident.holds(dataset));
  dataset[1] = tissue(gpu.host(), 1, 32)[0];
  CHECK_FALSE(resident.holds(dataset));
  dataset.pop_back();
  CHECK_FALSE(resident.holds(dataset));
}

TEST_CASE("cuda: training refuses fp16") {
  CHECK_THROWS_AS((Training<optim::Sgd, Cuda>({.precision = Precision::fp16}, {}, 0)), ArgumentError);
}

TEST_CASE("cuda: detection finds the CPU's points, in tiles and whole, from host and device memory") {
  Context<Cpu> cpu({.threads = 2, .seed = 6});
  Context<Cuda> gpu({.seed = 6});
  nn::Network<nn::MicroNet<kSmall>, 3, Cpu> on_cpu(cpu);
  nn::Network<nn::MicroNet<kSmall>, 3, Cuda> on_gpu(gpu);
  const auto made = data::synthesize({.height = 70, .width = 333, .seed = 8});
  const detect::LocalMaxima peaks{
      .radius = 3, .relative = 0.1, .absolute = 0.001f, .full_scale = 0};  // random weights overshoot
  auto wanted = detect::Detector(on_cpu, peaks)(made.image);
  const auto check = [&](const std::vector<Nucleus>& found) {
    REQUIRE(wanted.size() > 10);
    REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(squared_distance(found[i].centre, wanted[i].centre) < 1e-4);
      CHECK(found[i].score == Approx(wanted[i].score).epsilon(1e-3));
    }
  };
  const detect::Detector whole(on_gpu, peaks), tiled(on_gpu, peaks, {}, {.cell = 48});
  check(whole(made.image)), check(tiled(made.image)), check(tiled(made.image));
  const View<const float> image = view_of(made.image);
  const auto resident = to_device(gpu, image);
  const data::ChannelStatistics statistics = data::FixedNormalization{}.statistics;
  auto found = whole.resident_candidates(resident.view<const float>(), statistics);
  detect::keep_relative(found, peaks.relative);
  check(found);
  const auto small = data::synthesize({.height = 64, .width = 80, .seed = 8});  // eight networks an emulated tile
  wanted = detect::Detector(on_cpu, peaks, {}, {}, {.over = 8})(small.image);
  check(detect::Detector(on_gpu, peaks, {}, {}, {.over = 8})(small.image));
  check(detect::Detector(on_gpu, peaks, {}, {.cell = 48}, {.over = 8})(small.image));
}

TEST_CASE("cuda: what an image is normalised with is the CPU's, by every rule") {
  Context<Cuda> gpu;
  const auto made = data::synthesize({.height = 100, .width = 133, .seed = 8});
  const auto resident = to_device(gpu, view_of(made.image));
  for (const data::Normalization& rule : {data::Normalization{}, data::Normalization{data::ImageNormalization{}},
                                          data::Normalization{data::TissueNormalization{}}}) {
    const auto found = data::statistics_of(gpu, rule, resident.view<const float>()),
               wanted = data::statistics_of(gpu.host(), rule, view_of(made.image));
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(found.mean[c] == Approx(wanted.mean[c]).epsilon(1e-6));
      CHECK(found.deviation[c] == Approx(wanted.deviation[c]).epsilon(1e-6));
    }
  }
}

TEST_CASE("cuda: validation gives the CPU's loss and F1") {
  Context<Cpu> cpu({.threads = 2, .seed = 6});
  Context<Cuda> gpu({.seed = 6});
  const data::Dataset dataset = tissue(cpu, 2, 64);
  const nn::Network<nn::MicroNet<kSmall>, 3, Cpu> on_cpu(cpu);
  const nn::Network<nn::MicroNet<kSmall>, 3, Cuda> on_gpu(gpu);
  const auto run = [&](const auto& net) {
    return train::validate(net, loss::WeightedSquaredError{}, label::ProximityMap{}, dataset,
                           {.peaks = {.absolute = 0.01f}, .least_nuclei = 1});
  };
  const train::Validation found = run(on_gpu), wanted = run(on_cpu);
  CHECK(found.loss == Approx(wanted.loss).epsilon(1e-4));
  CHECK(found.f1 == Approx(wanted.f1).margin(0.005));
}

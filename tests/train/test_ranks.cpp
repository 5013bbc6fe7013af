#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/blocks.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/train/trainer.hpp"
#include "nucdet/train/validate.hpp"

#include "support/catch.hpp"
#include "support/thread_ranks.hpp"

using namespace nucdet;

namespace {

/// Whatever a batch has in common, in a small place: batch norm, dropout of channels, two sizes.
struct SmallOfRanks : nn::Graph<nn::Node<"stem", nn::ConvUnit<6>>, nn::Node<"drop", nn::ChannelDropout<0.3f>>,
                                nn::Node<"deep", nn::Sequential<nn::MaxPool<2>, nn::ConvUnit<8>, nn::Upsample<2>>>,
                                nn::Node<"map", nn::Conv<1, 1>>> {
  using head = nn::Proximity;
};

data::Dataset discs(Context<Cpu>& context, std::size_t images) {
  data::Dataset set;
  for (std::size_t k = 0; k < images; ++k) {
    RandomStream random{9, k};
    Image image = make_image(64, 72, 3, 0.85f);
    std::vector<Point> points;
    for (int i = 0; i < 5; ++i) {
      const Point p{random.uniform(8, 64), random.uniform(8, 56)};
      points.push_back(p);
      for (std::size_t y = 0; y < 64; ++y)
        for (std::size_t x = 0; x < 72; ++x)
          if (squared_distance(p, {static_cast<double>(x), static_cast<double>(y)}) < 30)
            for (std::size_t c = 0; c < 3; ++c) image(y, x, c) = 0.2f + 0.1f * static_cast<float>(c);
    }
    set.push_back(data::make_sample(context, image, points, 1.0, "discs " + std::to_string(k), "all"));
  }
  return set;
}

struct TrainedByRanks {
  std::vector<double> losses, norms;
  std::vector<float> weights;  // and running statistics
  train::Validation validation;
};

/// Five steps of a batch of 8, among the ranks; null: one process alone.
TrainedByRanks trained(Ranks* ranks, bool joint = true, const std::vector<std::string>& frozen = {}) {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const data::Dataset set = discs(context, 5);
  nn::Network<SmallOfRanks, 3, Cpu> net(context);
  net.freeze(frozen);
  train::TrainSettings settings;
  settings.iterations = 5, settings.joint_statistics = joint, settings.clip_norm = 1;
  settings.rate.schedule = optim::Constant{.rate = 1e-2};
  const std::tuple tasks(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}});
  const Index each = 8 / (ranks != nullptr ? ranks->count() : 1);
  train::Trainer trainer(net, tasks, optim::Sgd{}, data::CropSampler{.crop = 32, .batch = each, .seed = 5}, settings,
                         train::AmongRanks{ranks});
  TrainedByRanks found;
  for (int i = 0; i < 5; ++i) {
    const train::StepReport report = trainer.step({set});
    if (report.images != 8) throw Error("a step of another number of images");  // Catch's checks are for one thread
    found.losses.push_back(report.loss), found.norms.push_back(report.gradient_norm);
  }
  for (auto* buffer : {&net.parameters()->values(), &net.parameters()->statistics()})
    found.weights.insert(found.weights.end(), buffer->view<float>().data,
                         buffer->view<float>().data + buffer->shape().count());
  found.validation = train::validate(net, tasks, set, {.least_nuclei = 1}, match::HungarianMatcher{}, ranks);
  return found;
}

double furthest(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]) / std::abs(b[i]));
  return most;
}

}  // namespace

TEST_CASE("ranks follow one process with the batch of all, and have the same bits as each other") {
  const TrainedByRanks alone = trained(nullptr);
  for (const Index count : {1, 2, 4}) {
    CAPTURE(count);
    const std::vector<TrainedByRanks> all =
        nucdet_test::with_ranks(count, [](Ranks& ranks) { return trained(&ranks); });
    CHECK(furthest(all[0].losses, alone.losses) < 1e-5);
    CHECK(furthest(all[0].norms, alone.norms) < 1e-4);
    for (std::size_t i = 0; i < alone.weights.size(); ++i)
      CHECK(all[0].weights[i] == Catch::Detail::Approx(alone.weights[i]).margin(1e-5).epsilon(1e-4));
    for (const TrainedByRanks& other : all) {
      CHECK(other.weights == all[0].weights);
      CHECK(other.validation.loss == all[0].validation.loss);
      CHECK(other.validation.f1 == all[0].validation.f1);
    }
    const std::vector<TrainedByRanks> again =
        nucdet_test::with_ranks(count, [](Ranks& ranks) { return trained(&ranks); });
    CHECK(again[0].weights == all[0].weights);
  }
}

TEST_CASE("what is exchanged during the backward pass has the bits of what is exchanged after it") {
  struct Early {
    TrainedByRanks trained;
    std::size_t numbers = 0;
  };
  const auto parameters = [] {
    Context<Cpu> context({.threads = 1, .seed = 3});
    return static_cast<std::size_t>(nn::Network<SmallOfRanks, 3, Cpu>(context).parameters()->size());
  }();
  const std::vector<std::vector<std::string>> blocks{{}, {"stem"}, {"deep"}};
  for (const std::vector<std::string>& frozen : blocks) {
    const Index count = frozen.empty() ? 4 : 2;
    const auto after = nucdet_test::with_ranks(count, [&](Ranks& ranks) { return trained(&ranks, true, frozen); });
    const auto during = nucdet_test::with_ranks<nucdet_test::EagerRanks>(count, [&](Ranks& ranks) {
      TrainedByRanks found = trained(&ranks, true, frozen);
      return Early{std::move(found), static_cast<nucdet_test::EagerRanks&>(ranks).early()};
    });
    for (const Early& rank : during) {
      CHECK(rank.numbers == 5 * parameters);
      CHECK(rank.trained.weights == after[0].weights);
      CHECK(rank.trained.losses == after[0].losses);
      CHECK(rank.trained.norms == after[0].norms);
    }
  }
}

TEST_CASE("a mean that began in a backward pass which fails is abandoned") {
  class Failing final : public nucdet_test::ThreadRanks {
   public:
    using ThreadRanks::ThreadRanks;
    void begin_mean(std::span<float>, std::size_t final_from) override {
      if (final_from == 0) throw Error("out of something");
      begun = true;
    }
    void abandon_mean() noexcept override { abandoned = begun; }
    bool begun = false, abandoned = false;
  };
  const auto said = nucdet_test::with_ranks<Failing>(1, [](Ranks& ranks) -> std::string {
    try {
      trained(&ranks);
    } catch (const Error& error) {
      return message(error.what(), static_cast<Failing&>(ranks).abandoned ? ", abandoned" : "");
    }
    return {};
  });
  CHECK(said[0] == "out of something, abandoned");
}

TEST_CASE("one rank is one process, to the bit") {
  const TrainedByRanks alone = trained(nullptr);
  const TrainedByRanks one = nucdet_test::with_ranks(1, [](Ranks& ranks) { return trained(&ranks, false); })[0];
  CHECK(one.losses == alone.losses);
  CHECK(one.validation.loss == alone.validation.loss);
}

TEST_CASE("statistics of each rank's own images are another training") {
  const TrainedByRanks alone = trained(nullptr);
  const TrainedByRanks own = nucdet_test::with_ranks(2, [](Ranks& ranks) { return trained(&ranks, false); })[0];
  CHECK(own.losses[0] != Catch::Detail::Approx(alone.losses[0]).epsilon(1e-5));
}

TEST_CASE("where one rank is to stop after a step, all do") {
  struct StopAfterTwo {
    Ranks& ranks;
    std::int64_t steps = 0;
    void on_step(const train::StepReport& report) { steps = report.iteration; }
    bool stop_requested() const { return ranks.rank() == 1 && steps == 2; }
  };
  const auto steps = nucdet_test::with_ranks(3, [](Ranks& ranks) {
    Context<Cpu> context({.threads = 1, .seed = 3});
    const data::Dataset set = discs(context, 1);
    nn::Network<SmallOfRanks, 3, Cpu> net(context);
    train::TrainSettings settings;
    settings.iterations = 5, settings.validate_every = 5;
    train::Trainer trainer(net, loss::WeightedSquaredError{}, label::ProximityMap{}, optim::Sgd{},
                           data::CropSampler{.crop = 32, .batch = 1, .seed = 5}, settings, train::AmongRanks{&ranks});
    trainer.fit(
        {set}, [](const nn::Model<Cpu>&) { return train::Validation{.loss = 1.0}; }, StopAfterTwo{ranks});
    return trainer.state().iteration;
  });
  CHECK(steps == std::vector<std::int64_t>{2, 2, 2});
}

namespace {

/// What a validation of 8 images among 3 ranks ends with, one of whom is to stop when that many of its own are done.
std::vector<std::string> stopped_validation(Index rank, Index after) {
  return nucdet_test::with_ranks(3, [=](Ranks& ranks) {
    Context<Cpu> context({.threads = 1, .seed = 3});
    const nn::Network<SmallOfRanks, 3, Cpu> net(context);
    const std::tuple tasks(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}});
    std::stop_source stop;
    Index told = 0;
    const Watch watch{.stop = stop.get_token(), .progress = [&](Index done, Index) {
                        ++told;
                        if (ranks.rank() == rank && done == after) stop.request_stop();
                      }};
    try {
      train::validate(net, tasks, discs(context, 8), {.least_nuclei = 1}, match::HungarianMatcher{}, &ranks, watch);
    } catch (const Stopped& stopped) { return std::string(stopped.what()); }
    return message("brought to its end, told ", told, " times");
  });
}

}  // namespace

TEST_CASE("where one rank is to stop within a validation, all do before their next image") {
  using Said = std::vector<std::string>;
  CHECK(stopped_validation(1, 1) == Said{"validate: stopped after 1 of 3 images",
                                         "validate: stopped after 1 of 3 images",
                                         "validate: stopped after 1 of 2 images"});
  CHECK(stopped_validation(0, 2) == Said{"validate: stopped after 2 of 3 images",
                                         "validate: stopped after 2 of 3 images",
                                         "validate: stopped after 2 of 2 images"});
}

TEST_CASE("a validation that has seen all its images is kept, whoever is to stop") {
  for (const Index rank : {0, 2})
    CHECK(stopped_validation(rank, rank == 2 ? 2 : 3) == std::vector<std::string>{"brought to its end, told 4 times",
                                                                                  "brought to its end, told 4 times",
                                                                                  "brought to its end, told 3 times"});
}

TEST_CASE("lists of ranks may have any lengths") {
  const auto lists = nucdet_test::with_ranks(3, [](Ranks& ranks) {
    const std::vector<int> mine(static_cast<std::size_t>(2 * ranks.rank()), static_cast<int>(ranks.rank()));
    return gathered_lists(ranks, std::span<const int>(mine));
  });
  CHECK(lists[1] == std::vector<std::vector<int>>{{}, {1, 1}, {2, 2, 2, 2}});
  CHECK(lists[0] == lists[2]);
}

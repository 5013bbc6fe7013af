// Gradients of several GPUs by NCCL: ranks are threads, each with a context on an emulated device and the fake NCCL.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "nucdet/data/synthetic_tissue.hpp"
#include "nucdet/label/proximity.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/train/nccl_reducer.hpp"
#include "nucdet/train/own_gpu.hpp"
#include "nucdet/train/trainer.hpp"

#include "cuda/nccl_api.hpp"
#include "cuda/support/device_arrays.hpp"
#include "fake_nccl.hpp"
#include "support/catch.hpp"
#include "support/thread_ranks.hpp"
#include "test_helpers.hpp"

using namespace nucdet;
using namespace nucdet_test;
using Catch::Matchers::Contains;

namespace {

/// Ranks whose patience a test cuts short when what has to succeed is done.
class HastyRanks final : public ThreadRanks {
 public:
  using ThreadRanks::ThreadRanks;
  std::chrono::milliseconds patience() const override { return patience_; }
  void hurry() { patience_ = std::chrono::seconds(1); }

 private:
  std::chrono::milliseconds patience_ = std::chrono::minutes(1);
};

/// The same of any ranks that are such.
void hurry(Ranks& ranks) { static_cast<HastyRanks&>(ranks).hurry(); }

/// A context a rank. Made one after another, and without cuDNN: the fake cuDNN is for one thread.
struct Gpus {
  emulator_test::Environment devices;
  std::vector<std::unique_ptr<Context<Cuda>>> contexts;

  /// shared: all on one device.
  explicit Gpus(Index count, bool shared = false) : devices("NUCDET_EMULATED_DEVICES", std::to_string(count).c_str()) {
    for (int r = 0; r < count; ++r)
      contexts.push_back(std::make_unique<Context<Cuda>>(
          CudaOptions{.seed = 3, .device = shared ? 0 : r, .cudnn = false, .host = {.threads = 1}}));
  }
  Context<Cuda>& of(const Ranks& ranks) { return *contexts[static_cast<std::size_t>(ranks.rank())]; }
};

/// Of three ranks every fifth gives another sum in another order.
std::vector<float> numbers_of_rank(Index rank, std::size_t count) {
  constexpr float kLarge[] = {1e20f, 1.0f, -1e20f};
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i)
    numbers[i] = i % 5 == 0 ? kLarge[rank % 3] : 0.37f * static_cast<float>(rank + 1) + 1e-3f * static_cast<float>(i);
  return numbers;
}

/// Says what is wrong, for Catch's checks are for one thread; empty if nothing is.
std::string flaw_of_means(Context<Cuda>& context, Ranks& ranks, int polls) {
  fake_nccl().polls = polls;
  train::NcclReducer reducer(context, ranks);
  constexpr std::size_t kCounts[] = {0, 1, 2, 5, 4096, 10'007};
  for (const std::size_t count : kCounts) {
    std::vector<float> wanted = numbers_of_rank(ranks.rank(), count);
    const DeviceArray<float, Cuda> array(context, wanted.data(), count);
    ranks.mean(wanted);
    reducer.mean(context, std::span(array.data(), count));
    if (array.read(context) != wanted) return message("rank ", ranks.rank(), " of ", ranks.count(), ", ", count);
  }
  return {};
}

/// What a rank's second mean throws, with the fake as `prepare(rank)` leaves it after the first. Empty if nothing.
template <class Reducer = train::NcclReducer, class Prepare>
std::vector<std::string> second_mean(const Prepare& prepare) {
  Gpus gpus(2);
  return with_ranks<HastyRanks>(2, [&](Ranks& ranks) -> std::string {
    Context<Cuda>& context = gpus.of(ranks);
    const std::vector<float> numbers = numbers_of_rank(ranks.rank(), 100);
    const DeviceArray<float, Cuda> array(context, numbers.data(), numbers.size());
    std::optional<Reducer> reducer;
    if constexpr (std::is_same_v<Reducer, train::AmongGpus>)
      reducer.emplace(context, &ranks);
    else
      reducer.emplace(context, ranks);
    reducer->mean(context, std::span(array.data(), array.size()));
    prepare(ranks.rank()), hurry(ranks);
    try {
      reducer->mean(context, std::span(array.data(), array.size()));
      context.synchronize();
    } catch (const RanksError& error) { return error.what(); }
    return {};
  });
}

struct Trained {
  std::vector<double> losses, weights;
  std::string reducer_note, capture_note;
};

/// Four steps of one crop a rank.
template <class Reduce>
Trained trained(Context<Cuda>& context, Reduce reducer, bool joint) {
  Trained found;
  if constexpr (requires { reducer.note(); }) found.reducer_note = reducer.note();
  const auto made = data::synthesize({.height = 64, .width = 64, .seed = 1});
  data::Dataset set;
  set.push_back(data::make_sample(context.host(), made.image, made.points, 1, "image", "a"));
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cuda> net(context);
  train::TrainSettings settings;
  settings.iterations = 4, settings.joint_statistics = joint, settings.clip_norm = 1;
  settings.rate.schedule = optim::Constant{.rate = 2e-3};
  const std::tuple tasks(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}});
  train::Trainer trainer(net, tasks, optim::Sgd{}, data::CropSampler{.crop = 24, .batch = 1, .seed = 4}, settings,
                         std::move(reducer));
  for (int i = 0; i < 4; ++i) found.losses.push_back(trainer.step({set}).loss);
  found.weights = numbers_of(context, net.parameters()->values());
  found.capture_note = trainer.capture_note();
  return found;
}

cuda::DeviceInfo gpu_with(unsigned char id) {
  cuda::DeviceInfo info;
  info.uuid[0] = id;
  return info;
}

}  // namespace

TEST_CASE("nccl: means of any number are added in the order of ranks, to the bit") {
  for (const Index count : {1, 2, 3}) {
    Gpus gpus(count);
    for (const int polls : {0, 3})
      for (const std::string& flaw :
           with_ranks(count, [&](Ranks& ranks) { return flaw_of_means(gpus.of(ranks), ranks, polls); }))
        CHECK(flaw.empty());
  }
  CHECK(fake_nccl_communicators() == 0);
}

TEST_CASE("nccl: the training of two ranks is that of gradients by the hosts' memory, to the bit") {
  for (const bool joint : {true, false}) {
    CAPTURE(joint);
    const auto run = [joint](const auto& reducer_of) {
      Gpus gpus(2);
      return with_ranks(2, [&](Ranks& ranks) {
        Context<Cuda>& context = gpus.of(ranks);
        return trained(context, reducer_of(context, ranks), joint);
      });
    };
    const auto found = run([](auto& context, Ranks& ranks) { return train::AmongGpus(context, &ranks); });
    const auto wanted = run([](auto&, Ranks& ranks) { return train::AmongRanks{&ranks}; });
    for (const std::size_t r : {0u, 1u}) {
      CHECK(found[r].reducer_note.empty());
      CHECK(found[r].losses == wanted[r].losses);
      CHECK(found[r].weights == wanted[0].weights);
      CHECK(found[r].capture_note.empty() == !joint);  // joint statistics pass through the host within the step
    }
  }
  CHECK(fake_nccl_communicators() == 0);
}

TEST_CASE("nccl: one process alone needs none") {
  Gpus gpus(1);
  train::AmongGpus alone(*gpus.contexts[0], nullptr);
  CHECK(alone.ranks() == nullptr);
  CHECK(alone.note().empty());
  const float number = 3;
  const DeviceArray<float, Cuda> array(*gpus.contexts[0], &number, 1);
  alone.mean(*gpus.contexts[0], std::span(array.data(), 1));
  CHECK(array.read(*gpus.contexts[0])[0] == 3);
}

TEST_CASE("nccl: where it cannot serve all ranks, all know why and go by the hosts' memory") {
  const auto notes = [](bool shared, const auto& prepare) {
    Gpus gpus(2, shared);
    return with_ranks(2, [&](Ranks& ranks) -> std::string {
      prepare(ranks.rank());
      Context<Cuda>& context = gpus.of(ranks);
      train::AmongGpus reducer(context, &ranks);
      const float number = static_cast<float>(ranks.rank());
      const DeviceArray<float, Cuda> array(context, &number, 1);
      reducer.mean(context, std::span(array.data(), 1));
      return array.read(context)[0] == 0.5f ? reducer.note() : "another mean";
    });
  };
  const auto missing = notes(false, [](Index rank) {
    if (rank == 1) fake_nccl().problem = "no NCCL: of the tests";
  });
  CHECK(missing[0] == "gradients pass through the hosts' memory: rank 1: no NCCL: of the tests");
  CHECK(missing[1] == missing[0]);
  const auto other = notes(false, [](Index rank) { fake_nccl().version += static_cast<int>(rank); });
  CHECK_THAT(other[0], Contains("rank 1 has NCCL 2.21.6, rank 0 has 2.21.5"));
  CHECK(other[1] == other[0]);
  const auto shared = notes(true, [](Index) {});
  CHECK_THAT(shared[0], Contains("ranks 0 and 1 share a GPU"));
  CHECK(shared[1] == shared[0]);
  Gpus gpus(2, true);
  for (const std::string& what : with_ranks(2, [&](Ranks& ranks) -> std::string {
         try {
           const train::NcclReducer reducer(gpus.of(ranks), ranks);
         } catch (const CudaError& error) { return error.what(); }
         return {};
       }))
    CHECK_THAT(what, Contains("NcclReducer: ranks 0 and 1 share a GPU"));
}

TEST_CASE("nccl: an error of one rank is told by it, and the others do not wait for ever") {
  for (const char* function : {"ncclGroupStart", "ncclSend", "ncclRecv", "ncclGroupEnd", "ncclCommGetAsyncError"}) {
    CAPTURE(function);
    const std::size_t aborted = fake_nccl_aborted();
    const auto said = second_mean([&](Index rank) {
      if (rank == 1) fake_nccl().failing = function;
    });
    CHECK_THAT(said[1], Contains("NCCL, rank 1: exchange of parts: "));
    CHECK_THAT(said[1], Contains("the fake was told so"));
    CHECK_THAT(said[0], Contains("NCCL, rank 0: ") && Contains("one of them hangs or has ended"));
    CHECK(fake_nccl_aborted() == aborted + 2);
  }
  const auto later = second_mean([](Index rank) {
    if (rank == 0) fake_nccl().failing = "later";
  });
  CHECK_THAT(later[0], Contains("remote process exited"));
  CHECK(fake_nccl_communicators() == 0);
}

TEST_CASE("nccl: a rank that dies within an exchange is noticed") {
  const auto begin = std::chrono::steady_clock::now();
  const auto said = second_mean<train::AmongGpus>([](Index rank) { fake_nccl().silent = rank == 1; });
  CHECK_THAT(said[0], Contains("NCCL, rank 0: mean: waited") && Contains("one of them hangs or has ended"));
  CHECK_FALSE(said[1].empty());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));  // the ranks' patience, not a minute
  CHECK(fake_nccl_communicators() == 0);
}

TEST_CASE("nccl: a rank with other numbers is noticed before they are exchanged") {
  Gpus gpus(2);
  for (const std::string& what : with_ranks(2, [&](Ranks& ranks) -> std::string {
         Context<Cuda>& context = gpus.of(ranks);
         train::NcclReducer reducer(context, ranks);
         const DeviceArray<float, Cuda> array(context, 10);
         try {
           reducer.mean(context, std::span(array.data(), static_cast<std::size_t>(7 + ranks.rank())));
         } catch (const RanksError& error) { return error.what(); }
         return {};
       }))
    CHECK_THAT(what, Contains("has 7") && Contains("has 8") && Contains("wanted as many"));
}

TEST_CASE("nccl: ranks that cannot come together say so") {
  Gpus gpus(2);
  const auto started = [&](const char* function, Index failing) {
    return with_ranks<HastyRanks>(2, [&](Ranks& ranks) -> std::string {
      if (ranks.rank() == failing) fake_nccl().failing = function;
      if (function == std::string("ncclCommInitRankConfig")) hurry(ranks);  // the others wait in vain
      try {
        const train::NcclReducer reducer(gpus.of(ranks), ranks);
      } catch (const RanksError& error) { return error.what(); }
      return {};
    });
  };
  for (const std::string& what : started("ncclGetUniqueId", 0)) CHECK_THAT(what, Contains("unique id: unhandled"));
  const auto alone = started("ncclCommInitRankConfig", 1);
  CHECK_THAT(alone[1], Contains("NCCL, rank 1: start: unhandled system error"));
  CHECK_THAT(alone[0], Contains("NCCL, rank 0: start: waited"));
  const std::size_t aborted = fake_nccl_aborted();
  for (const std::string& what : started("ncclCommFinalize", 1)) CHECK(what.empty());  // it is over all the same
  CHECK(fake_nccl_aborted() == aborted + 1);
  CHECK(fake_nccl_communicators() == 0);
}

TEST_CASE("nccl: what is loaded is NCCL, new enough and whole, or it says what is wrong") {
  CHECK_THAT(cuda::load_nccl("/nowhere/libnccl.so.2").problem, Contains("no NCCL: /nowhere/libnccl.so.2: cannot open"));
  CHECK_THAT(cuda::load_nccl(NUCDET_NCCL_OLD).problem, Contains("is version 2.13.4, wanted at least 2.14.0"));
  const cuda::NcclApi partial = cuda::load_nccl(NUCDET_NCCL_PARTIAL);
  CHECK_THAT(partial.problem, Contains("lacks ncclRecv"));
  CHECK(partial.send == nullptr);
  const cuda::NcclApi whole = cuda::load_nccl(NUCDET_NCCL_WHOLE);
  CHECK(whole.problem.empty());
  CHECK(whole.version == 22105);
  REQUIRE(whole.receive != nullptr);
  CHECK(whole.receive(nullptr, 0, 0, 0, nullptr, nullptr) == cuda::kNcclInvalidUsage);
}

TEST_CASE("each rank takes the first GPU that it sees and no rank before it has") {
  using Seen = std::vector<unsigned char>;
  const auto chosen = [](const std::vector<Seen>& seen) {
    return with_ranks(static_cast<Index>(seen.size()), [&](Ranks& ranks) -> std::string {
      cuda::Availability there;
      for (const unsigned char id : seen[static_cast<std::size_t>(ranks.rank())]) there.devices.push_back(gpu_with(id));
      if (there.devices.empty()) there.reason = "no driver here";
      try {
        const auto own = train::own_gpu(ranks, there);
        return own ? std::to_string(*own) : "none";
      } catch (const CudaError& error) { return error.what(); }
    });
  };
  using Said = std::vector<std::string>;
  CHECK(chosen({{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}) == Said{"0", "1", "2"});      // one machine
  CHECK(chosen({{1, 2}, {1, 2}, {3, 4}, {3, 4}}) == Said{"0", "1", "0", "1"});  // two
  CHECK(chosen({{1, 2}, {3, 4}, {1, 2}, {3, 4}}) == Said{"0", "0", "1", "1"});  // dealt in turn
  CHECK(chosen({{1}, {2}, {3}}) == Said{"0", "0", "0"});                        // a launcher that shows each its own
  CHECK(chosen({{}, {}}) == Said{"none", "none"});
  for (const std::string& what : chosen({{1, 2}, {1, 2}, {1, 2}}))
    CHECK_THAT(what, Contains("rank 2 finds no GPU of its own: it sees 2, taken by rank 0, 1"));
  for (const std::string& what : chosen({{1}, {}}))
    CHECK_THAT(what, Contains("rank 1 sees no GPU, others do: no driver here"));
}

TEST_CASE("each emulated device has a UUID of its own") {
  Gpus gpus(2);
  CHECK(gpus.contexts[0]->device().uuid != gpus.contexts[1]->device().uuid);
  CHECK(gpus.contexts[1]->device().number == 1);
}

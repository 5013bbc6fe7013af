// Contexts, memory and copies of a CUDA device.
#include <string>

#include "nucdet/core/captured_work.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/ops/add.hpp"

#include "cuda/support/device_arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

TEST_CASE("cuda: what goes up comes down, in pieces of any size, and host memory may be reused at once") {
  Context<Cuda> context;
  for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, std::size_t{3'000'001}}) {
    std::vector<int> from(count);
    for (std::size_t i = 0; i < count; ++i) from[i] = static_cast<int>(i * 7);
    const DeviceArray<int, Cuda> array(context, from.data(), count);
    std::fill(from.begin(), from.end(), -1);
    const std::vector<int> to = array.read(context);
    bool same = true;
    for (std::size_t i = 0; i < count; ++i) same = same && to[i] == static_cast<int>(i * 7);
    CHECK(same);
  }
  // More uploads than the staging ring has room for, without waiting between them.
  std::vector<DeviceArray<double, Cuda>> arrays;
  for (int k = 0; k < 30; ++k) {
    const std::vector<double> numbers(100'000, k);
    arrays.emplace_back(context, numbers.data(), numbers.size());
  }
  for (int k = 0; k < 30; ++k) CHECK(arrays[static_cast<std::size_t>(k)].read(context)[99'999] == k);
}

TEST_CASE("cuda: tensors of zeros, memory that comes back, and the device's own numbers") {
  Context<Cuda> context({.seed = 5});
  CHECK(context.seed() == 5);
  CHECK(!context.device().name.empty());
  CHECK(context.device().major >= 5);
  const auto zeros = numbers_of(context, context.zeros({2, 3, 5, 7}, DType::bf16));
  CHECK(zeros == std::vector<double>(210, 0.0));
  const auto held = context.memory().statistics().held;
  for (int k = 0; k < 10; ++k) context.make({1, 512, 512, 4});
  const auto again = context.memory().statistics();
  CHECK(again.held <= held + (std::size_t{4} << 20));  // one block, handed out ten times
  CHECK(again.in_use == 0);
  context.memory().trim();
  CHECK(context.memory().statistics().held == 0);
}

TEST_CASE("cuda: views of the host go up dense, dense tensors come down, slices do not") {
  Context<Cuda> context;
  const auto numbers = random_numbers(3 * 5 * 7 * 4, 1);
  const auto whole = on_device<float>(context.host(), {3, 5, 7, 4}, numbers);
  const View<const float> view = whole.view<const float>();
  for (const View<const float>& part : {view, view.window(1, 2, 3, 4), view.window(0, 0, 5, 6).channels(1, 2)}) {
    const auto up = to_device(context, part);
    CHECK(numbers_of(to_host(context, up).view<const float>()) == numbers_of(part));
  }
  CHECK_THROWS_WITH(to_host(context, to_device(context, view).window(0, 0, 2, 2)), Catch::Matchers::Contains("slice"));
}

TEST_CASE("cuda: errors say what was asked for") {
  CHECK_THROWS_WITH(Context<Cuda>({.device = 99}), Catch::Matchers::Contains("device 99 was asked for"));
  Context<Cuda> context;
  CHECK_THROWS_WITH(context.make({1, 1 << 20, 1 << 20, 64}), Catch::Matchers::Contains("device memory: wanted"));
  CHECK_NOTHROW(context.make({1, 10, 10, 1}));  // the failure is not remembered
}

TEST_CASE("cuda: work is done, recorded and replayed on the memory it took first") {
  Context<Cuda> context;
  const Shape shape{1, 4, 4, 8};
  auto x = on_device<float>(context, shape, std::vector<double>(128, 1.0));
  Tensor<Cuda> y;
  int calls = 0;
  CapturedWork<Cuda> work(context, [&] {
    ++calls;
    y = Tensor<Cuda>();
    y = context.make(shape);
    const auto in = std::as_const(x).view<const float>();
    const View<const float> terms[] = {in, in};
    ops::add<float>(context, terms, y.view<float>());
  });
  for (int run = 0; run < 5; ++run) {
    const std::vector<float> numbers(128, static_cast<float>(run));
    context.upload(x.view<float>().data, numbers.data(), numbers.size() * sizeof(float));
    work.run();
    const Tensor<Cuda> other = context.make(shape);  // memory that the graph must not work in
    context.upload(std::as_const(other).memory(), numbers.data(), numbers.size() * sizeof(float));
    CHECK(numbers_of(context, y) == std::vector<double>(128, 2.0 * run));
    CHECK(numbers_of(context, other) == std::vector<double>(128, run));
  }
  CHECK(calls == 2);
  CHECK(work.captured());
  CHECK(work.note().empty());
}

TEST_CASE("cuda: work that waits cannot be recorded, says why, and is done all the same") {
  Context<Cuda> context;
  const auto x = on_device<float>(context, {1, 1, 1, 4}, {1, 2, 3, 4});
  std::vector<double> found;
  CapturedWork<Cuda> work(context, [&] { found = numbers_of(context, x); });
  for (int run = 0; run < 4; ++run) {
    found.clear();
    work.run();
    CHECK(found == std::vector<double>{1, 2, 3, 4});
  }
  CHECK(!work.captured());
  CHECK(!work.note().empty());
}

// A network does the same whatever engines cuDNN has: fused or not, for slices or not, with f32 results or not.
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"

#include "cuda/support/device_arrays.hpp"
#include "fake_cudnn.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet_test;

namespace {

struct Results {
  std::vector<double> y, gradients, fused;
  std::string log;
};

Results run(const FakeCudnnOptions& engines, CudaOptions options) {
  emulated_cudnn() = engines;
  options.seed = 5;
  Context<Cuda> context(options);
  emulated_cudnn() = {};
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 2}>, 3, Cuda> net(context);
  const Shape shape{1, 25, 18, 3};
  const auto x = on_device<float>(context, shape, random_numbers(shape.count(), 1));
  nn::Tape<Cuda> tape;
  Results results;
  const auto y = net.forward(x, {.mode = nn::Mode::training, .tape = &tape});
  net.zero_gradients();
  net.backward(on_device<float>(context, y.shape(), random_numbers(y.shape().count(), 2)), tape);
  results.y = numbers_of(context, y), results.gradients = numbers_of(context, net.parameters()->gradients());
  results.fused = numbers_of(context, nn::for_inference(net).forward(context, x));
  for (const std::string& line : context.convolution_log()) results.log += line + "\n";
  return results;
}

}  // namespace

TEST_CASE("cuda engines: missing ones are made up for") {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const double bound = precision == Precision::fp32 ? kConvolution : kHalf;
    const CudaOptions options{.precision = precision};
    const Results all = run({}, options);
    const auto check = [&](const Results& found) {
      CHECK(difference(found.y, all.y) < bound);
      CHECK(difference(found.gradients, all.gradients) < 5 * bound);
      CHECK(difference(found.fused, all.fused) < bound);
    };
    CHECK(all.log.find("no plan") == std::string::npos);
    const Results unfused = run({.fused_graphs = false}, options), dense = run({.sliced_maps = false}, options),
                  narrow = run({.wide_results = false}, options);
    check(unfused), check(dense), check(narrow);
    CHECK(unfused.log.find("no plan") != std::string::npos);
    CHECK(dense.log.find("no plan") != std::string::npos);
    CHECK((narrow.log.find("no plan") != std::string::npos) == (precision == Precision::bf16));
    check(run({.engines = {}}, options));  // plain sums
    CudaOptions apart = options;
    apart.fuse = false;
    const Results twin = run({}, apart);
    check(twin);
    CHECK(twin.log.find("elu") == std::string::npos);
    CudaOptions measured = options;
    measured.measure = true;
    check(run({}, measured));
  }
}

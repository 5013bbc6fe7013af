// A pass of a shape that was seen before takes nothing from the heap: what it needs is in the workspace and the pool.
#include "nucdet/nets/attention_unet.hpp"
#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/micronet_mobile.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/catch.hpp"
#include "support/heap_count.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

/// What the third pass over two shapes in turns takes from the heap.
template <class S>
long allocations(const cpu::Kernels* kernels) {
  Context<Cpu> context({.threads = 2, .seed = 3, .kernels = kernels});
  const Network<S, 3, Cpu> net(context);
  const InferenceProgram<Cpu> program = for_inference(net);
  Workspace<Cpu> workspace;
  Tensor<Cpu> large = context.make({1, 64, 80, 3}), small = context.make({1, 64, 48, 3});
  testing::fill_random(large, 1), testing::fill_random(small, 2);
  const auto both = [&] {
    program.program.forward(context, workspace, large);
    program.program.forward(context, workspace, small);
  };
  both(), both();
  return nucdet_test::heap_allocations_of(both);
}

template <class S>
void check() {
  CHECK(allocations<S>(cpu::best_kernels()) == 0);
  CHECK(allocations<S>(nullptr) == 0);
}

}  // namespace

TEST_CASE("a pass of a shape that was seen takes nothing from the heap", "[long]") {
  check<MicroNet<MicroNetOptions{.base = 2}>>();
  check<MicroNetLite<MicroNetLiteOptions{.base = 4, .classes = 3}>>();
  check<Frcn<FrcnOptions{.base = 2}>>();
  check<Fcn8s<FcnOptions{.base = 1, .hidden = 4, .norm = true}>>();
  check<AttentionUNet<AttentionUNetOptions{.base = 2}>>();
  check<MicroNetMobile<>>();
}

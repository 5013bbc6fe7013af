/// MatchTo: one input at the size of another, of which nothing else is read. And convolutions without a bias.
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/testing/gradcheck.hpp"

#include "support/arrays.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

using Unbiased = Conv<4, 3, ConvOptions{.bias = Bias::without}>;

/// Node "out" has the size of the input; "low" is half of it.
template <Spec S>
struct Restored
    : Graph<Node<"low", Conv<2, 3, ConvOptions{.stride = 2}>>, Node<"out", MatchTo<S>, From<"low", "input">>> {};

/// What comes out of MatchSize for an input of h x w and a reference of to_h x to_w, by its definition.
double matched(const View<const double>& x, Index h, Index w, Index n, Index i, Index j, Index c) {
  const auto source = [](Index at, Index from, Index to) {
    return to >= from ? at - (to - from) / 2 : at + (from - to) / 2;
  };
  const Index row = source(i, x.shape.h, h), column = source(j, x.shape.w, w);
  const bool inside = row >= 0 && row < x.shape.h && column >= 0 && column < x.shape.w;
  return inside ? x(n, row, column, c) : 0.0;
}

}  // namespace

TEST_CASE("MatchTo pads or crops each axis by itself, and its gradient goes back the same way") {
  Context<Cpu> context({.threads = 2});
  const Slot slots[] = {{0, 3}, {1, 5}};
  const auto layer = MatchOp::make<Cpu>(slots);
  CHECK((layer->reads(0) && !layer->reads(1)));
  // Height and width: padded and cropped, by an even and an odd number, both at once, and as it is.
  for (const Shape& from : {Shape{2, 4, 5, 3}, {2, 8, 9, 3}, {2, 5, 9, 3}, {2, 9, 4, 3}, {2, 6, 7, 3}}) {
    CAPTURE(from.h, from.w);
    auto x = context.make(from, DType::f64), like = context.make({2, 6, 7, 5}, DType::f64);
    testing::fill_random(x, 1), testing::fill_random(like, 2);
    const Tensor<Cpu> in[] = {x, like};
    const Shape shapes[] = {x.shape(), like.shape()};
    REQUIRE(layer->output_shape(shapes) == Shape{2, 6, 7, 3});
    auto y = context.make({2, 6, 7, 3}, DType::f64), dy = context.make({2, 6, 7, 3}, DType::f64);
    Tape<Cpu> tape;
    layer->forward(context, in, y, {.mode = Mode::training, .tape = &tape});
    const View<const double> source = std::as_const(x).view<const double>(), found = y.view<const double>();
    for (Index n = 0; n < 2; ++n)
      for (Index i = 0; i < 6; ++i)
        for (Index j = 0; j < 7; ++j)
          for (Index c = 0; c < 3; ++c) REQUIRE(found(n, i, j, c) == matched(source, 6, 7, n, i, j, c));
    testing::fill_random(dy, 3);
    const auto dx = layer->backward(context, dy, tape, {});
    CHECK(tape.empty());
    REQUIRE(dx.size() == 2);
    CHECK(!dx[1]);  // the reference gave its size only
    REQUIRE(dx[0].shape() == from);
    // Linear in x: <dy, y> = <dx, x>.
    const double out = nucdet_test::dot(nucdet_test::numbers_of(dy.view<const double>()),
                                        nucdet_test::numbers_of(y.view<const double>()));
    CHECK(nucdet_test::dot(nucdet_test::numbers_of(dx[0].view<const double>()), nucdet_test::numbers_of(source)) ==
          Approx(out).epsilon(1e-13));
  }
}

TEST_CASE("gradients through MatchTo: padded, cropped, and as large as wanted") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  const auto error_of = [&]<class S>(const S&, const Shape& shape) {
    Network<S, 3, Cpu> net(context, DType::f64);
    CHECK(net.plan(shape).shapes.back() == Shape{shape.n, shape.h, shape.w, 2});
    return testing::worst_gradient_error(net, shape);
  };
  CHECK(error_of(Restored<Upsample<2>>{}, {2, 7, 6, 3}) < 1e-7);
  CHECK(error_of(Restored<Upsample<2>>{}, {1, 6, 4, 3}) < 1e-7);
  CHECK(error_of(Restored<Upsample<3>>{}, {1, 7, 8, 3}) < 1e-7);
  CHECK(error_of(Restored<Sequential<Upsample<3>, Conv<2, 3>>>{}, {1, 5, 8, 3}) < 1e-7);
}

TEST_CASE("a block of which nothing but the size is read has no gradient, and training says so") {
  struct SizeOnly : Graph<Node<"half", Conv<2, 3, ConvOptions{.stride = 2}>>, Node<"deep", Conv<2, 3>, From<"input">>,
                          Node<"out", MatchTo<Identity>, From<"deep", "half">>> {};
  Context<Cpu> context({.threads = 1});
  Network<SizeOnly, 3, Cpu> net(context);
  const auto x = context.zeros({1, 8, 6, 3});
  CHECK(net.forward(x).shape() == Shape{1, 4, 3, 2});  // inference has no need of it
  CHECK(for_inference(net).forward(context, x).shape() == Shape{1, 4, 3, 2});
  Tape<Cpu> tape;
  const auto y = net.forward(x, {.mode = Mode::training, .tape = &tape});
  net.zero_gradients();
  CHECK_THROWS_WITH(net.backward(y, tape), Catch::Matchers::Contains("'half.conv1'") &&
                                               Catch::Matchers::Contains("nothing but its size is read"));
}

TEST_CASE("a convolution without a bias: no such parameter, no such term, and right gradients") {
  Context<Cpu> context({.threads = 2, .seed = 4});
  Network<Unbiased, 3, Cpu> bare(context, DType::f64);
  Network<Conv<4, 3>, 3, Cpu> biased(context, DType::f64);
  REQUIRE(bare.parameters()->entries().size() == 1);
  CHECK(bare.parameters()->entries()[0].name == "conv1.weight");
  CHECK(biased.parameters()->parameter_count() == bare.parameters()->parameter_count() + 4);
  // The same seed and name draw the same weights, and a new bias is 0.
  auto x = context.make({2, 5, 6, 3}, DType::f64);
  testing::fill_random(x, 1);
  CHECK(nucdet_test::numbers_of(bare.forward(x).view<const double>()) ==
        nucdet_test::numbers_of(biased.forward(x).view<const double>()));
  CHECK(nucdet_test::numbers_of(for_inference(bare).forward(context, x).view<const double>()) ==
        nucdet_test::numbers_of(bare.forward(x).view<const double>()));
  CHECK(testing::worst_gradient_error(bare, {2, 5, 6, 3}) < 1e-7);
  Network<Sequential<Unbiased, BatchNorm, Relu>, 3, Cpu> unit(context, DType::f64);
  CHECK(testing::worst_gradient_error(unit, {2, 5, 6, 3}) < 1e-6);
}

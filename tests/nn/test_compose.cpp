/// The checker: what it accepts and what it finds, at compile time.
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/compose.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;

namespace {

template <Spec S, int Channels = 3>
constexpr Problem found = diagnosis_of<S, Channels>.problem;

struct Misspelt : Graph<Node<"a", Conv<4, 3>>, Node<"b", Conv<4, 3>, From<"aa">>> {};
struct Duplicate : Graph<Node<"a", Conv<4, 3>>, Node<"a", Conv<4, 3>>> {};
struct Unused : Graph<Node<"a", Conv<4, 3>>, Node<"b", Conv<4, 3>, From<"input">>, Node<"c", Conv<1, 1>, From<"a">>> {};
struct Outer : Graph<Node<"first", Conv<3, 3>>, Node<"inner", Misspelt>> {};

static_assert(found<MicroNet<>> == Problem::none);
static_assert(found<MicroNet<MicroNetOptions::paper_literal()>> == Problem::none);
static_assert(found<Misspelt> == Problem::no_such_node);
static_assert(std::string_view(diagnosis_of<Misspelt, 3>.node.text) == "b");
static_assert(found<Outer> == Problem::no_such_node);
static_assert(found<Duplicate> == Problem::duplicate_node);
static_assert(found<Unused> == Problem::unused_node);
static_assert(std::string_view(diagnosis_of<Unused, 3>.node.text) == "b");
static_assert(found<Residual<Conv<4, 3>>> == Problem::unequal_channels);
static_assert(diagnosis_of<Residual<Conv<4, 3>>, 3>.expected == 3 && diagnosis_of<Residual<Conv<4, 3>>, 3>.got == 4);
static_assert(found<Conv<4, 2>> == Problem::even_kernel);
static_assert(found<Conv<4, 2, ConvOptions{.stride = 2, .pad = 0}>> == Problem::none);
static_assert(found<Conv<-1, 3>> == Problem::bad_channels);
// A count that a division brought to nothing is no "as many as the input".
static_assert(found<Conv<2 / 4, 3>> == Problem::bad_channels);
static_assert(found<Conv<kSame / 4, 3>> == Problem::bad_channels);
static_assert(found<Conv<kSame / 3, 3>> == Problem::none && (kSame / 3).of(3) == 1 && (kSame * 2 / 3).of(6) == 4);
static_assert(found<ConcatTo<5, Identity, Identity>> == Problem::no_such_branch);
static_assert(found<ConcatTo<-2, Identity, Identity>> == Problem::no_such_branch);
static_assert(found<AddTo<2, Identity, Identity>> == Problem::no_such_branch);
static_assert(found<AddTo<1, Identity, Identity>> == Problem::none);
static_assert(found<GroupNorm<2>> == Problem::unequal_groups);
static_assert(found<ScaledSigmoid<5.0f>> == Problem::none);
static_assert(found<ChannelDropout<1.0f>> == Problem::bad_setting);
static_assert(
    found<Graph<Node<"a", Conv<4, 3>>, Node<"b", Concat<Identity, Identity, Identity>, From<"a", "input">>>> ==
    Problem::wrong_number_of_inputs);
static_assert(Spec<Identity> && !Spec<ops::Elu>);

struct Inner : Graph<Node<"one", ConvUnit<4>>, Node<"two", ConvUnit<4>>> {};
struct Nested : Graph<Node<"stem", Conv<4, 1>>, Node<"body", Inner>, Node<"map", Conv<1, 1>>> {};

}  // namespace

TEST_CASE("parameters are named by node and role, also in graphs within graphs") {
  Context<Cpu> context({.threads = 1});
  const Network<Nested, 3, Cpu> net(context);
  std::vector<std::string> names;
  for (const auto& e : net.parameters()->entries()) names.push_back(e.name);
  CHECK(names == std::vector<std::string>{"stem.conv1.weight", "stem.conv1.bias", "body.one.conv1.weight",
                                          "body.one.conv1.bias", "body.one.norm1.weight", "body.one.norm1.bias",
                                          "body.one.norm1.running_mean", "body.one.norm1.running_var",
                                          "body.two.conv1.weight", "body.two.conv1.bias", "body.two.norm1.weight",
                                          "body.two.norm1.bias", "body.two.norm1.running_mean",
                                          "body.two.norm1.running_var", "map.conv1.weight", "map.conv1.bias"});
}

TEST_CASE("an option that adds or moves dropout does not rename a parameter") {
  Context<Cpu> context({.threads = 1});
  const auto names = [&]<MicroNetOptions O>() {
    const Network<MicroNet<O>, 3, Cpu> net(context);
    std::vector<std::string> list;
    for (const auto& e : net.parameters()->entries()) list.push_back(e.name);
    return list;
  };
  CHECK(names.template operator()<MicroNetOptions{.base = 2}>() ==
        names.template operator()<MicroNetOptions{.base = 2, .dropout = DropoutPlan::everywhere}>());
}

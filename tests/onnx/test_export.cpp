/// What leaves as ONNX, read back by ONNX's own library: structure, settings, weights. What it computes is compared by
/// test_onnxruntime.sh.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/onnx/export.hpp"

#include "networks.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::nn;
namespace ours = nucdet::onnx;  // ::onnx is the library
using Catch::Matchers::Contains;

namespace {

::onnx::ModelProto read_back(const std::string& bytes) {
  ::onnx::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  return model;
}

template <Spec S>
::onnx::ModelProto exported(const ours::ExportOptions& options = {.input = ours::Input::normalized}) {
  Context<Cpu> context({.threads = 1, .seed = 2});
  const Network<S, 3, Cpu> net(context);
  return read_back(ours::to_onnx(net, options).bytes);
}

std::vector<std::string> operators_of(const ::onnx::ModelProto& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) types.push_back(node.op_type());
  return types;
}

const ::onnx::NodeProto& operator_of(const ::onnx::ModelProto& model, const std::string& type) {
  const auto& nodes = model.graph().node();
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.op_type() == type; });
  REQUIRE(found != nodes.end());
  return *found;
}

std::vector<std::int64_t> list_of(const ::onnx::NodeProto& node, const std::string& name) {
  for (const auto& attribute : node.attribute())
    if (attribute.name() == name) return {attribute.ints().begin(), attribute.ints().end()};
  FAIL("no attribute " << name);
  return {};
}

std::vector<float> numbers_in(const ::onnx::ModelProto& model, const std::string& name) {
  for (const auto& tensor : model.graph().initializer())
    if (tensor.name() == name) {
      std::vector<float> values(tensor.raw_data().size() / sizeof(float));
      std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
      return values;
    }
  FAIL("no numbers " << name);
  return {};
}

std::map<std::string, std::string> metadata_of(const ::onnx::ModelProto& model) {
  std::map<std::string, std::string> all;
  for (const auto& entry : model.metadata_props()) all[entry.key()] = entry.value();
  return all;
}

/// The checker, the inference of shapes, and what neither of them asks: everything that is kept is read.
void check(const std::string& name, const Model<Cpu>& net) {
  CAPTURE(name);
  ::onnx::ModelProto model = read_back(ours::to_onnx(net, {.input = ours::Input::normalized}).bytes);
  REQUIRE_NOTHROW(::onnx::checker::check_model(model));
  REQUIRE_NOTHROW(::onnx::shape_inference::InferShapes(model));
  std::set<std::string> read;
  for (const auto& node : model.graph().node()) read.insert(node.input().begin(), node.input().end());
  for (const auto& tensor : model.graph().initializer()) {
    CAPTURE(tensor.name());
    CHECK(read.contains(tensor.name()));
  }
  REQUIRE(model.graph().input_size() == 1);
  CHECK(model.graph().input(0).name() == "image");
  const auto& outputs = net.program().outputs();
  REQUIRE(model.graph().output_size() == std::ssize(outputs));
  for (int i = 0; i < model.graph().output_size(); ++i) {
    const auto& output = model.graph().output(i);
    CHECK(output.name() == outputs[static_cast<std::size_t>(i)].name);
    const auto& shape = output.type().tensor_type().shape();
    REQUIRE(shape.dim_size() == 4);
    CHECK(shape.dim(0).dim_param() == "batch");
    CHECK(shape.dim(1).dim_value() == outputs[static_cast<std::size_t>(i)].channels);
    CHECK(shape.dim(2).has_dim_param());
  }
}

}  // namespace

TEST_CASE("every built-in network and layer passes ONNX's checker", "[onnx]") {
  REQUIRE(ours::available());
  Context<Cpu> context({.threads = 1});
  nucdet_test::each_network(context, check);
  nucdet_test::each_layer(context, check);
}

TEST_CASE("an export is the network as inference runs it", "[onnx]") {
  struct Unit : Sequential<Conv<4, 3>, BatchNorm, Elu, ChannelDropout<0.2f>, Conv<1, 1>> {};
  CHECK(operators_of(exported<Unit>()) == std::vector<std::string>{"Conv", "Elu", "Conv", "Identity"});
  struct Block : Residual<Conv<3, 3>, Relu> {};
  CHECK(operators_of(exported<Block>()) == std::vector<std::string>{"Conv", "Relu", "Add", "Identity"});
}

TEST_CASE("an output that is called as another value is refused, and a step that is called as constants are is not",
          "[onnx]") {
  struct Clash : Graph<Node<"stem", Conv<4, 3>>, Output<"map", Conv<1, 1>>, Output<"image", Conv<2, 1>, From<"stem">>> {
  };
  Context<Cpu> context({.threads = 1, .seed = 2});
  const Network<Clash, 3, Cpu> net(context);
  CHECK_THROWS_WITH(ours::to_onnx(net, {.input = ours::Input::normalized}), Contains("output 'image'"));
}

TEST_CASE("a convolution's numbers are in ONNX's order", "[onnx]") {
  Context<Cpu> context({.threads = 1, .seed = 4});
  const Network<Conv<2, ops::Axes(1, 3)>, 3, Cpu> net(context);
  const auto model = read_back(ours::to_onnx(net, {.input = ours::Input::normalized}).bytes);
  const float* const ours = net.parameters()->values().view<const float>().data;  // [2][1][3][3]
  const std::vector<float> theirs = numbers_in(model, "conv1.weight");            // [2][3][1][3]
  REQUIRE(theirs.size() == 18);
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t k = 0; k < 3; ++k) CHECK(theirs[(o * 3 + i) * 3 + k] == ours[(o * 3 + k) * 3 + i]);
}

TEST_CASE("a strided convolution has the padding that gives our sizes", "[onnx]") {
  using Numbers = std::vector<std::int64_t>;
  using ops::Rounding;
  const auto pads = [](const ::onnx::ModelProto& model) { return list_of(operator_of(model, "Conv"), "pads"); };
  CHECK(pads(exported<Conv<1, 3>>()) == Numbers{1, 1, 1, 1});
  CHECK(pads(exported<Conv<1, 3, ConvOptions{.stride = 2}>>()) == Numbers{1, 1, 0, 0});
  CHECK(pads(exported<Conv<1, 3, ConvOptions{.stride = 2, .rounding = Rounding::ceil}>>()) == Numbers{1, 1, 1, 1});
  CHECK(pads(exported<Conv<1, 5, ConvOptions{.stride = 2}>>()) == Numbers{2, 2, 1, 1});
  CHECK(pads(exported<Conv<1, 2, ConvOptions{.stride = 2, .pad = 0}>>()) == Numbers{0, 0, 0, 0});
  // A 1x1 at stride 2 reads no last row of an odd map, which Conv would: it is cut off before.
  const auto model = exported<Conv<1, 1, ConvOptions{.stride = 2}>>();
  CHECK(operators_of(model) == std::vector<std::string>{"Pad", "Conv", "Identity"});
  CHECK(pads(model) == Numbers{0, 0, 0, 0});
}

TEST_CASE("sizes are matched in the graph, not when it is made", "[onnx]") {
  struct Net : ConcatTo<1, Upsample<2>, Identity> {};
  CHECK(operators_of(exported<Net>()) == std::vector<std::string>{"Resize", "Shape", "Shape", "Sub", "Div", "Sub",
                                                                  "Concat", "Pad", "Concat", "Identity"});
}

TEST_CASE("pixels are normalised by the graph where that is by constants", "[onnx]") {
  struct Net : Conv<1, 1> {};
  const data::FixedNormalization fixed{{{0.5f, 0.25f, 1.0f}, {0.1f, 0.2f, 0.4f}}};
  const auto model =
      exported<Net>({.normalization = fixed, .metadata = {{"peaks.radius", "5"}, {"normalization", "old"}}});
  CHECK(operators_of(model) == std::vector<std::string>{"Sub", "Mul", "Conv", "Identity"});
  CHECK(numbers_in(model, "normalization.mean") == std::vector<float>{127.5f, 63.75f, 255.0f});
  CHECK(numbers_in(model, "normalization.factor") ==
        std::vector<float>{1 / (255 * 0.1f), 1 / (255 * 0.2f), 1 / (255 * 0.4f)});
  auto metadata = metadata_of(model);
  CHECK(metadata["normalization"] == "fixed");
  CHECK(metadata["normalization.mean"] == "0.5 0.25 1");
  CHECK(metadata["peaks.radius"] == "5");
  CHECK(metadata["head"] == "none");
  CHECK(metadata["input"].starts_with("pixels"));
  CHECK(metadata["input.reach"] == "0 0");
  CHECK(metadata["input.multiple"] == "1");
  CHECK(metadata_of(exported<Net>())["input"].starts_with("normalized"));
  CHECK_THROWS_WITH(exported<Net>({.normalization = data::ImageNormalization{}}),
                    Contains("'image'") && Contains("input normalized"));
}

TEST_CASE("what is made of a model is the same file each time, and known as nucdet's", "[onnx]") {
  Context<Cpu> context({.threads = 1});
  const Network<MicroNetLite<MicroNetLiteOptions{.base = 4}>, 3, Cpu> net(context);
  const ours::Exported first = ours::to_onnx(net, {}), second = ours::to_onnx(net, {});
  CHECK(first.bytes == second.bytes);
  CHECK(first.outputs == std::vector<std::string>{"map"});
  CHECK(first.operators == read_back(first.bytes).graph().node_size());
  const auto path = std::filesystem::temp_directory_path() / "nucdet-test-export.onnx";
  io::write_atomically(path, first.bytes);
  CHECK(io::product_of(path) == io::Product::network);
  std::filesystem::remove(path);
}

namespace {

/// Layers of a user's own: one that says how it is written, and one that does not.
template <class D>
struct Twice : Layer<D> {
  void forward(Context<D>&, Inputs<D>, Tensor<D>&, const Pass<D>&) const override {}
  std::vector<Tensor<D>> backward(Context<D>&, const Tensor<D>&, Tape<D>&, Wanted) const override { return {}; }
  Extent extent(std::span<const Extent> in, std::span<const Shape>) const override { return in[0]; }
  std::string describe() const override { return "Twice"; }
};
template <class D>
struct WrittenTwice : Twice<D> {
  std::string write(Context<D>&, OperatorGraph& graph, std::span<const OperatorInput> x) const override {
    return graph.add("Add", {x[0].name, x[0].name});
  }
};
template <template <class> class L>
struct Of : Leaf<Of<L>> {
  static constexpr std::string_view role = "twice";
  template <class D>
  static std::unique_ptr<Layer<D>> make(std::span<const Slot>) {
    return std::make_unique<L<D>>();
  }
};

}  // namespace

TEST_CASE("a layer of one's own writes itself, or is named as one that does not", "[onnx]") {
  CHECK(operators_of(exported<Of<WrittenTwice>>()) == std::vector<std::string>{"Add", "Identity"});
  CHECK_THROWS_WITH((exported<Graph<Node<"deep", Of<Twice>>>>()), Contains("step 'deep.twice1'") && Contains("Twice"));
}

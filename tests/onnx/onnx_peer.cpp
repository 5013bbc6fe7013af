#include <filesystem>
#include <fstream>
#include <iostream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/onnx/export.hpp"

#include "networks.hpp"

/// Our side of test_onnxruntime.sh: onnx_peer FOLDER [WEIGHTS]... writes every network, every layer and the weights as
/// ONNX, and what nucdet makes of some inputs: a line of cases.txt for each, numbers as floats in [N, C, H, W].
///   NAME INPUT N C H W OUTPUT-NAME DEFAULT EXACT N C H W [OUTPUT-NAME ...]
namespace {

using namespace nucdet;

class Cases {
 public:
  explicit Cases(std::filesystem::path folder) : folder_(std::move(folder)), list_(folder_ / "cases.txt") {
    // Both on two threads; where the two kinds of sums are one, they agree to the bit.
    list_.exceptions(std::ios::failbit | std::ios::badbit);
  }

  /// `input`: what ONNX's network reads; `x`: what ours reads.
  void add(const std::string& name, const nn::Model<Cpu>& model, const Tensor<Cpu>& input, const Tensor<Cpu>& x) {
    Context<Cpu> fast({.threads = 2}), exact({.threads = 2, .convolution = ConvolutionMethod::direct});
    const nn::InferenceProgram<Cpu> inference = nn::for_inference(model);
    nn::Workspace<Cpu> first, second;
    const std::vector<Tensor<Cpu>>&by_default = inference.program.forward(fast, first, x),
          &by_sums = inference.program.forward(exact, second, x);
    list_ << name << ' ' << write(input) << shape_of(input);
    for (std::size_t i = 0; i < by_default.size(); ++i)
      list_ << ' ' << inference.program.outputs()[i].name << ' ' << write(by_default[i]) << ' ' << write(by_sums[i])
            << shape_of(by_sums[i]);
    list_ << '\n';
  }
  void add(const std::string& name, const onnx::Exported& exported) {
    io::write_atomically(folder_ / (name + ".onnx"), exported.bytes);
  }

 private:
  static std::string shape_of(const Tensor<Cpu>& t) {
    const Shape& s = t.shape();
    return message(' ', s.n, ' ', s.c, ' ', s.h, ' ', s.w);
  }
  /// Channels first; returns the file's name.
  std::string write(const Tensor<Cpu>& t) {
    const auto v = t.view<const float>();
    std::vector<float> values;
    for (Index n = 0; n < v.shape.n; ++n)
      for (Index c = 0; c < v.shape.c; ++c)
        for (Index y = 0; y < v.shape.h; ++y)
          for (Index x = 0; x < v.shape.w; ++x) values.push_back(v(n, y, x, c));
    const std::string name = message(count_++, ".raw");
    io::write_atomically(folder_ / name, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    return name;
  }

  std::filesystem::path folder_;
  std::ofstream list_;
  int count_ = 0;
};

Tensor<Cpu> random_input(Context<Cpu>& context, const Shape& shape, std::uint64_t stream) {
  Tensor<Cpu> x = context.make(shape);
  testing::fill_random(x, stream);
  return x;
}

/// A weight file, on pixels where it normalises by constants.
void add_weights(Cases& cases, Context<Cpu>& context, const std::filesystem::path& file) {
  const models::LoadedModel<Cpu> loaded = models::load_model(context, file);
  const auto* const fixed = std::get_if<data::FixedNormalization>(&loaded.normalization);
  const onnx::Input input = fixed != nullptr ? onnx::Input::pixels : onnx::Input::normalized;
  const std::string name = file.stem().string();
  cases.add(name, onnx::to_onnx(*loaded.model, {input, loaded.normalization, loaded.metadata}));
  for (const Shape& shape : {Shape{1, 256, 256, 3}, Shape{2, 101, 155, 3}}) {
    Tensor<Cpu> pixels = random_input(context, shape, 5), x = pixels;
    if (fixed != nullptr) {
      x = context.make(shape);
      float *const p = pixels.view<float>().data, *const scaled = x.view<float>().data;
      for (Index i = 0; i < shape.count(); ++i) p[i] = std::round(127.5f * (p[i] + 1)), scaled[i] = p[i] / 255;
      data::normalize(context, std::as_const(x).view<const float>(), fixed->statistics, x.view<float>());
    }
    cases.add(name, *loaded.model, pixels, x);
  }
}

void run(int count, char** arguments) {
  Context<Cpu> context({.threads = 2, .seed = 3});
  Cases cases(arguments[1]);
  const auto add = [&](std::initializer_list<Shape> shapes) {
    return [&, list = std::vector<Shape>(shapes)](const std::string& name, const nn::Model<Cpu>& model) {
      cases.add(name, onnx::to_onnx(model, {.input = onnx::Input::normalized}));
      for (const Shape& shape : list) {
        const Tensor<Cpu> x = random_input(context, shape, 9);
        cases.add(name, model, x, x);
      }
    };
  };
  nucdet_test::each_network(context, add({{1, 96, 128, 3}, {2, 71, 93, 3}, {1, 33, 50, 3}}));
  nucdet_test::each_layer(context, add({{1, 24, 30, 3}, {2, 23, 17, 3}}));
  for (int i = 2; i < count; ++i) add_weights(cases, context, arguments[i]);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  try {
    run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

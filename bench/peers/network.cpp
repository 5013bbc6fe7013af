/// A whole network, as a worker of network.py, which starts it beside its peers, on the same weights.
///
///   peer_network forward NET WEIGHTS BASE THREADS SIZE BATCH INPUT
///   peer_network train   NET WEIGHTS BASE THREADS SIZE BATCH INPUT TARGET
///
/// NET is micronet or micronet-lite. INPUT and TARGET are bare floats, [batch, size, size, 3] and [batch, size, size,
/// 1]. It prints "imported VERSION", then answers each line that it reads with one of its own:
///
///   load         "loaded"
///   run          forward: milliseconds; train: milliseconds and the loss before the step
///   output FILE  "written": the last map, as bare floats
///   quit         nothing
#include "nucdet/nn/network.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/weights.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/loss/weighted_squared_error.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nn/passes.hpp"
#include "nucdet/optim/sgd.hpp"
#include "nucdet/optim/step.hpp"
#include "nucdet/version.hpp"

namespace {

using namespace nucdet;

/// No dropout, so that every peer trains on the same numbers.
template <int Base>
using MicroNet = nn::MicroNet<nn::MicroNetOptions{.base = Base, .drop_rate = 0}>;
template <int Base>
using MicroNetLite = nn::MicroNetLite<nn::MicroNetLiteOptions{.base = Base, .drop_rate = 0}>;
using Model = std::unique_ptr<nn::Model<Cpu>>;

struct Arguments {
  std::string mode, net, weights;
  int base = 0, threads = 0;
  Index size = 0, batch = 0;
  std::string input{}, target{};
};

Arguments parse(const std::vector<std::string>& words) {
  const bool forward = words.size() == 8 && words[0] == "forward", train = words.size() == 9 && words[0] == "train";
  if (!forward && !train)
    throw ArgumentError(
        "usage: peer_network forward|train NET WEIGHTS BASE THREADS SIZE BATCH INPUT [TARGET], the last to train only");
  Arguments a{words[0], words[1], words[2], std::stoi(words[3]), std::stoi(words[4])};
  a.size = std::stol(words[5]), a.batch = std::stol(words[6]), a.input = words[7];
  if (train) a.target = words[8];
  return a;
}

template <template <int> class Net>
Model make_network(Context<Cpu>& context, int base) {
  if (base == 4) return std::make_unique<nn::Network<Net<4>, 3, Cpu>>(context);
  if (base == 8) return std::make_unique<nn::Network<Net<8>, 3, Cpu>>(context);
  if (base == 16) return std::make_unique<nn::Network<Net<16>, 3, Cpu>>(context);
  if (base == 32) return std::make_unique<nn::Network<Net<32>, 3, Cpu>>(context);
  throw ArgumentError(message("base ", base, ", wanted 4, 8, 16 or 32"));
}
Model make_network(Context<Cpu>& context, const Arguments& a) {
  if (a.net == "micronet") return make_network<MicroNet>(context, a.base);
  if (a.net == "micronet-lite") return make_network<MicroNetLite>(context, a.base);
  throw ArgumentError(message("network '", a.net, "', wanted micronet or micronet-lite"));
}

std::streamsize bytes_of(const Tensor<Cpu>& t) {
  return static_cast<std::streamsize>(t.shape().count()) * static_cast<std::streamsize>(sizeof(float));
}

Tensor<Cpu> read_tensor(Context<Cpu>& context, const std::string& path, const Shape& shape) {
  Tensor<Cpu> tensor = context.make(shape);
  const std::streamsize bytes = bytes_of(tensor);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() != bytes) throw IoError(message(path, ": wanted ", bytes, " bytes, ", shape));
  file.seekg(0).read(reinterpret_cast<char*>(tensor.memory()), bytes);
  if (!file) throw IoError(path + ": cannot be read");
  return tensor;
}

/// What is timed, and what is said beside the time.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() = 0;
  virtual std::string report() const { return ""; }
  virtual void write(const std::string& path) const { throw ArgumentError(path + ": training has no output"); }
};

/// A forward pass as `nucdet detect` makes it: fused, the model that was loaded given back.
class Forward final : public Work {
 public:
  Forward(Context<Cpu>& context, const Arguments& a)
      : context_(context),
        network_(fused(context, a)),
        x_(read_tensor(context, a.input, {a.batch, a.size, a.size, 3})) {
    context.memory().trim();
  }
  void run() override { y_ = {}, y_ = network_.forward(context_, workspace_, x_); }
  void write(const std::string& path) const override {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(y_.memory()), bytes_of(y_));
    if (!file.flush()) throw IoError(path + ": cannot be written");
  }

 private:
  static nn::InferenceProgram<Cpu> fused(Context<Cpu>& context, const Arguments& a) {
    const Model net = make_network(context, a);
    io::load_weights(a.weights, *net);
    return nn::for_inference(*net);
  }

  Context<Cpu>& context_;
  nn::InferenceProgram<Cpu> network_;
  nn::Workspace<Cpu> workspace_;
  Tensor<Cpu> x_, y_;
};

/// Forward, loss, backward and the optimiser, with the settings of network.py.
class Training final : public Work {
 public:
  Training(Context<Cpu>& context, const Arguments& a)
      : context_(context),
        net_(make_network(context, a)),
        x_(read_tensor(context, a.input, {a.batch, a.size, a.size, 3})),
        target_(read_tensor(context, a.target, {a.batch, a.size, a.size, 1})) {
    io::load_weights(a.weights, *net_);
    for (const nn::ParameterEntry& e : net_->parameters()->entries())  // PyTorch's optimiser decays them all
      if (!e.statistic) segments_.push_back({e.offset, e.count, true, e.frozen});
    velocity_.resize(static_cast<std::size_t>(net_->parameters()->values().shape().count()));
  }
  void run() override {
    nn::Tape<Cpu> tape;
    const Tensor<Cpu> y = net_->forward(x_, {.mode = nn::Mode::training, .tape = &tape, .iteration = iteration_});
    Tensor<Cpu> dy = context_.make(y.shape());
    loss_ = loss::evaluate(context_, loss::WeightedSquaredError{}, y.view<const float>(),
                           std::as_const(target_).view<const float>(), {}, dy.view<float>());
    net_->zero_gradients();
    net_->backward(dy, tape);
    const auto flat = [&](Tensor<Cpu>& t) { return std::span<float>(t.view<float>().data, velocity_.size()); };
    optim::step(context_, optim::Sgd{.momentum = 0.9, .nesterov = true, .decay = 1e-6}, kRate, iteration_++,
                flat(net_->parameters()->values()), flat(net_->parameters()->gradients()), velocity_, segments_);
  }
  std::string report() const override {
    char text[32];
    std::snprintf(text, sizeof text, " %.9g", loss_);
    return text;
  }

 private:
  static constexpr double kRate = 1e-3;

  Context<Cpu>& context_;
  Model net_;
  Tensor<Cpu> x_, target_;
  std::vector<optim::Segment> segments_;
  std::vector<float> velocity_;
  std::int64_t iteration_ = 0;
  double loss_ = 0;
};

double milliseconds_of(Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void answer(const std::string& line) { std::cout << line << std::endl; }

void serve(const Arguments& a) {
  const bool forward = a.mode == "forward";
  Context<Cpu> context({.threads = a.threads});
  std::unique_ptr<Work> work;
  answer("imported nucdet " NUCDET_VERSION_STRING);
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    if (line == "load") {
      if (forward)
        work = std::make_unique<Forward>(context, a);
      else
        work = std::make_unique<Training>(context, a);
      answer("loaded");
    } else if (work && line == "run") {
      const double milliseconds = milliseconds_of(*work);
      answer(std::to_string(milliseconds) + work->report());
    } else if (work && line.starts_with("output ")) {
      work->write(line.substr(7));
      answer("written");
    } else {
      throw ArgumentError("'" + line + "', wanted load, then run, output FILE or quit");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(parse({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "peer_network: " << error.what() << '\n';
    return 1;
  }
}

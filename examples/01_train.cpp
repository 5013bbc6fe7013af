/// Train a small MicroNet from nucleus centres, score it on images it has not seen, save its weights.
///   01_train [WEIGHTS]      default: micronet.safetensors
#include <iostream>

#include <nucdet/io/image.hpp>
#include <nucdet/io/normalization.hpp>
#include <nucdet/io/peaks.hpp>
#include <nucdet/io/weights.hpp>
#include <nucdet/nucdet.hpp>

using namespace nucdet;

//! [network]
using SmallMicroNet = nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 4}>, 3, Cpu>;
//! [network]

/// Images with their nucleus centres: synthetic tissue here, io::read_manifest and io::read_image for your own.
data::Dataset tissue(Context<Cpu>& context, int images, std::uint64_t seed) {
  data::Dataset set;
  for (int i = 0; i < images; ++i) {
    const auto made = data::synthesize({.height = 128, .width = 128, .seed = seed + static_cast<std::uint64_t>(i)});
    set.push_back(data::make_sample(context, made.image, made.points, 1.0, "tissue " + std::to_string(i)));
  }
  return set;
}

//! [save]
/// Called by the trainer after each validation: the best weights so far, with the thresholds that go with them.
struct KeepBest {
  const SmallMicroNet& net;
  std::string path;

  void on_weights(const train::Validation& v) const {
    std::cout << "iteration " << v.iteration << ": F1 " << v.f1 << (v.best ? " (best)\n" : "\n");
    if (!v.best) return;
    io::Metadata metadata = io::to_metadata(data::Normalization{});  // by constants, as the samples were
    io::write_peaks({.relative = v.xi, .absolute = static_cast<float>(v.floor)}, metadata);
    io::save_weights(path, net, metadata);
  }
};
//! [save]

int main(int argc, char** argv) try {
  //! [train]
  Context<Cpu> context({.seed = 1});
  const data::Dataset training = tissue(context, 8, 100), unseen = tissue(context, 4, 200);
  SmallMicroNet net(context);

  const loss::WeightedSquaredError loss;  // Eq. 2 of the paper: scale 5, lambda 5
  const label::ProximityMap label;        // Eq. 1: alpha 3, radius 15
  train::TrainSettings settings{.iterations = 90, .validate_every = 30};
  settings.rate.schedule = optim::Cosine{.rate = 3e-3, .iterations = 90, .warmup = 10};
  train::Trainer trainer(net, loss, label, optim::Adam{}, data::CropSampler{.crop = 96, .batch = 2}, settings);

  const std::string path = argc > 1 ? argv[1] : "micronet.safetensors";
  trainer.fit(
      {training}, [&](const nn::Model<Cpu>& model) { return train::validate(model, loss, label, unseen); },
      KeepBest{net, path});
  //! [train]
  io::write_png(path + ".png", data::synthesize({.height = 300, .width = 420, .seed = 300}).image);
  return 0;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

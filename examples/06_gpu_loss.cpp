/// The loss of 03_custom_loss.cpp on a GPU: this file sees no CUDA header; huber.cu has the two lines that it takes.
/// Exits with 77 where no device can be used.
#include <iostream>

#include <nucdet/nucdet.hpp>

#include "huber.hpp"

using namespace nucdet;

int main() {
  const cuda::Availability there = cuda::availability();
  if (there.devices.empty()) {
    std::cout << "no CUDA device: " << there.reason << '\n';
    return 77;
  }
  //! [train]
  Context<Cuda> context({.seed = 1, .precision = Precision::bf16});  // or Context<Cpu>: nothing else changes
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 4}>, 3, Cuda> net(context);
  train::Trainer trainer(net, Huber{.delta = 0.5f}, label::ProximityMap{}, optim::Adam{},
                         data::CropSampler{.crop = 96, .batch = 2}, {.rate = {.schedule = optim::Constant{3e-3}}});
  //! [train]
  data::Dataset set;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto made = data::synthesize({.height = 128, .width = 128, .seed = seed});
    set.push_back(data::make_sample(context.host(), made.image, made.points, 1.0, "tissue " + std::to_string(seed)));
  }
  double first = 0, last = 0;
  for (int i = 0; i < 40; ++i) {
    const double loss = trainer.step({set}).loss;
    if (i == 0) first = loss;
    last = loss;
  }
  std::cout << "loss " << first << " -> " << last << '\n';
  return last < first ? 0 : 1;
}

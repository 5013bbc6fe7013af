/// A loss of one's own: a functor with a value and a slope. Nothing to register, nothing to derive from; the same
/// functor runs on a GPU (06_gpu_loss.cpp).
#include <iostream>

#include <nucdet/nucdet.hpp>

#include "huber.hpp"

using namespace nucdet;

int main() {
  Context<Cpu> context({.seed = 1});
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 4}>, 3, Cpu> net(context);
  data::Dataset set;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto made = data::synthesize({.height = 128, .width = 128, .seed = seed});
    set.push_back(data::make_sample(context, made.image, made.points, 1.0, "tissue " + std::to_string(seed)));
  }
  //! [use]
  train::Trainer trainer(net, Huber{.delta = 0.5f}, label::ProximityMap{}, optim::Adam{},
                         data::CropSampler{.crop = 96, .batch = 2}, {.rate = {.schedule = optim::Constant{3e-3}}});
  //! [use]
  double first = 0, last = 0;
  for (int i = 0; i < 40; ++i) {
    const double loss = trainer.step({set}).loss;
    if (i == 0) first = loss;
    last = loss;
  }
  std::cout << "loss " << first << " -> " << last << '\n';
  return last < first ? 0 : 1;
}

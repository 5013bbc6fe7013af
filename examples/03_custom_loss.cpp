/// A loss of one's own: a functor with a value and a slope. Nothing to register, nothing to derive from; the same
/// functor would run on a GPU.
#include <cmath>
#include <iostream>

#include <nucdet/nucdet.hpp>

using namespace nucdet;

//! [loss]
/// Huber's loss on the scaled label: squared near 0, linear beyond `delta`, so that a wrongly placed dot pulls less.
struct Huber {
  float scale = 5, delta = 1;

  template <class T>
  NUCDET_HD T value(const T* prediction, const T* target, const T*, int maps) const {
    T sum = 0;
    for (int k = 0; k < maps; ++k) {
      const T error = std::abs(prediction[k] - static_cast<T>(scale) * target[k]), d = static_cast<T>(delta);
      sum += error < d ? error * error / 2 : d * (error - d / 2);
    }
    return sum / static_cast<T>(maps);
  }
  template <class T>
  NUCDET_HD void slope(const T* prediction, const T* target, const T*, int maps, T* out) const {
    const T d = static_cast<T>(delta);
    for (int k = 0; k < maps; ++k) {
      const T error = prediction[k] - static_cast<T>(scale) * target[k];
      out[k] = (error < -d ? -d : error > d ? d : error) / static_cast<T>(maps);
    }
  }
  NUCDET_HD int target_maps(int prediction_maps) const { return prediction_maps; }
};
static_assert(loss::PixelLoss<Huber>);
//! [loss]

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

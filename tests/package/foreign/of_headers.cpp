#include <nucdet/data/synthetic_tissue.hpp>
#include <nucdet/detect/detector.hpp>

#include "own_network.hpp"

const char* own::kernels_of_headers() {
  const Context<Cpu> context({.threads = 1});
  return context.kernels() == nullptr ? "none" : "some";
}

std::size_t own::found_by_headers() {
  Context<Cpu> context({.threads = 1, .seed = 3});
  const nn::Network<Gated, 3, Cpu> net(context);
  const detect::Detector<Cpu> detector(net, {.radius = 3, .absolute = 0, .full_scale = 0});
  return detector(data::synthesize({.height = 64, .width = 64, .seed = 2}).image).size();
}

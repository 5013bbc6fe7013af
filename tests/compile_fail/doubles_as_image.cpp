// wanted: convert another array by data::image_from
#include "nucdet/data/dataset.hpp"
nucdet::data::Sample f(nucdet::Context<nucdet::Cpu>& context, const xt::xtensor<double, 3>& values) {
  return nucdet::data::make_sample(context, values, {}, 1.0, "bytes");
}

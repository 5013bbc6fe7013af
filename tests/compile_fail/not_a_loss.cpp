// wanted: a loss needs value, slope and target_maps
#include "nucdet/loss/evaluate.hpp"
struct NoLoss {
  float value = 0;
};
double f(nucdet::Context<nucdet::Cpu>& context, nucdet::View<const float> v) {
  return nucdet::loss::evaluate<float>(context, NoLoss{}, v, v);
}

#pragma once
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/nn/model.hpp"

namespace nucdet::nn {

/// What one step costs on a given input.
struct StepCost {
  std::string path, layer;
  Shape shape;
  Index parameters = 0, flops = 0, bytes = 0;  ///< bytes: of its output
};

/// The costs of a network on one input shape.
struct CostTable {
  std::vector<StepCost> steps;
  Index parameters = 0, flops = 0;
  Index peak_bytes =
      0;  ///< activations alive at the worst moment of an inference pass; weights and scratch come on top
};

template <class Device>
CostTable cost_table(const Model<Device>& model, const Shape& input) {
  const Plan plan = model.plan(input);
  const Index element = static_cast<Index>(size_of(model.parameters()->dtype()));
  CostTable table;
  const auto& steps = model.program().steps();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    StepCost cost{steps[k].path, steps[k].layer->describe(),          plan.shapes[k + 1], 0,
                  plan.flops[k], plan.shapes[k + 1].count() * element};
    for (const ParameterEntry& e : model.parameters()->entries())
      if (!e.statistic && e.name.starts_with(steps[k].path + ".")) cost.parameters += e.count;
    table.steps.push_back(std::move(cost));
  }
  table.parameters = model.parameters()->parameter_count();
  table.flops = plan.total_flops();
  table.peak_bytes = plan.peak_elements * element;
  return table;
}

/// The table as text: path, layer, output shape, parameters, MFLOP, KiB; then the totals.
std::ostream& operator<<(std::ostream& out, const CostTable& table);

/// The table as one string.
template <class Device>
std::string summary(const Model<Device>& model, const Shape& input) {
  return message(cost_table(model, input));
}

#ifdef NUCDET_INLINE

NUCDET_INLINE std::ostream& operator<<(std::ostream& out, const CostTable& table) {
  std::size_t path = 4, layer = 5;
  for (const StepCost& s : table.steps) path = std::max(path, s.path.size()), layer = std::max(layer, s.layer.size());
  const auto row = [&](const std::string& a, const std::string& b, const std::string& c, const std::string& d,
                       const std::string& e, const std::string& f) {
    out << std::left << std::setw(static_cast<int>(path) + 2) << a << std::setw(static_cast<int>(layer) + 2) << b
        << std::setw(18) << c << std::right << std::setw(12) << d << std::setw(12) << e << std::setw(12) << f << '\n';
  };
  const auto fixed = [](double value) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(1) << value;
    return text.str();
  };
  row("step", "layer", "output", "parameters", "MFLOP", "KiB");
  for (const StepCost& s : table.steps)
    row(s.path, s.layer, message(s.shape), message(s.parameters), fixed(static_cast<double>(s.flops) * 1e-6),
        fixed(static_cast<double>(s.bytes) / 1024));
  return out << table.parameters << " parameters, " << fixed(static_cast<double>(table.flops) * 1e-9)
             << " GFLOP (convolutions), activations at most " << fixed(static_cast<double>(table.peak_bytes) / 1048576)
             << " MiB at a time\n";
}

#endif

}  // namespace nucdet::nn

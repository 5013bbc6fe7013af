#include "nucdet/nn/summary.hpp"

#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/nn/dot.hpp"

#include "commands.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

/// What is said of a network.
struct Described {
  std::map<std::string, std::string> metadata;  ///< of a weight file
  nn::CostTable costs;
  nn::Model<Cpu>::Reach reach;
};

void print(const Described& network) {
  for (const auto& [key, value] : network.metadata) std::cout << printable(key) << ": " << printable(value) << '\n';
  std::cout << network.costs;
  if (!network.reach.bounded)
    std::cout << "an output pixel sees the whole image\n";
  else
    std::cout << "an output pixel sees " << network.reach.before << " pixels before and " << network.reach.after
              << " after it\n";
}

Json json_of(const Described& network, const Shape& input) {
  Json layers = Json::array();
  for (const nn::StepCost& s : network.costs.steps)
    layers.push_back({{"step", s.path},
                      {"layer", s.layer},
                      {"output", {s.shape.n, s.shape.h, s.shape.w, s.shape.c}},
                      {"parameters", s.parameters},
                      {"flop", s.flops},
                      {"bytes", s.bytes}});
  Json reach = nullptr;  // the whole image
  if (network.reach.bounded) reach = {{"before", network.reach.before}, {"after", network.reach.after}};
  return {{"metadata", network.metadata},
          {"input", {input.n, input.h, input.w, input.c}},
          {"parameters", network.costs.parameters},
          {"flop", network.costs.flops},
          {"peak_bytes", network.costs.peak_bytes},
          {"reach", reach},
          {"layers", layers}};
}

}  // namespace

int summary(const SummaryOptions& o) {
  OutputGuard guard;
  guard.input(o.model);
  if (o.dot != "-") guard.output(o.dot, io::Product::graph);
  Context<Cpu> context({.threads = 1});
  std::unique_ptr<nn::Model<Cpu>> model;
  Described network;
  if (o.model.empty()) {
    model = models::make_network(context, o.network, nn::Start::zeros);
  } else {
    models::LoadedModel<Cpu> loaded = models::load_model(context, o.model);
    model = std::move(loaded.model), network.metadata = std::move(loaded.metadata);
  }
  const Shape shape{1, o.height, o.width, model->in_channels()};
  if (o.dot == "-") {
    std::cout << nn::dot(*model, shape);
    return 0;
  }
  network.costs = nn::cost_table(*model, shape);
  network.reach = model->receptive_field({1, 512, 512, model->in_channels()});
  if (!o.dot.empty()) io::write_atomically(o.dot, message("// ", io::kMadeBy, '\n', nn::dot(*model, shape)));
  if (o.json)
    print_json(json_of(network, shape));
  else
    print(network);
  return 0;
}

}  // namespace nucdet::program

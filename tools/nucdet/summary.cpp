#include "nucdet/nn/summary.hpp"

#include <iostream>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/models/load.hpp"
#include "nucdet/nn/dot.hpp"

#include "commands.hpp"
#include "guard.hpp"

namespace nucdet::program {

int summary(const SummaryOptions& o) {
  OutputGuard guard;
  guard.input(o.model);
  if (o.dot != "-") guard.output(o.dot, io::Product::graph);
  Context<Cpu> context({.threads = 1});
  std::unique_ptr<nn::Model<Cpu>> model;
  if (o.model.empty()) {
    model = models::make_network(context, o.network, nn::Start::zeros);
  } else {
    models::LoadedModel<Cpu> loaded = models::load_model(context, o.model);
    model = std::move(loaded.model);
    for (const auto& [key, value] : loaded.metadata)
      if (o.dot != "-") std::cout << key << ": " << value << '\n';
  }
  const Shape shape{1, o.height, o.width, model->in_channels()};
  if (o.dot == "-") {
    std::cout << nn::dot(*model, shape);
    return 0;
  }
  std::cout << nn::cost_table(*model, shape);
  const auto reach = model->receptive_field({1, 512, 512, model->in_channels()});
  if (!reach.bounded)
    std::cout << "an output pixel sees the whole image\n";
  else
    std::cout << "an output pixel sees " << reach.before << " pixels before and " << reach.after << " after it\n";
  if (!o.dot.empty()) io::write_atomically(o.dot, message("// ", io::kMadeBy, '\n', nn::dot(*model, shape)));
  return 0;
}

}  // namespace nucdet::program

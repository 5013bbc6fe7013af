#include "networks.hpp"

#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"

namespace nucdet::program {

namespace {

using nn::MicroNetOptions;
using nn::Statistics;
using nn::UpKernel;

using Maker = std::unique_ptr<nn::Model<Cpu>> (*)(Context<Cpu>&);

template <MicroNetOptions O>
std::unique_ptr<nn::Model<Cpu>> make(Context<Cpu>& context) {
  return std::make_unique<nn::Network<nn::MicroNet<O>, 3, Cpu>>(context);
}

struct Known {
  NetworkChoice choice;
  Maker maker;
};

constexpr MicroNetOptions paper(int base) {
  MicroNetOptions options = MicroNetOptions::paper_literal();
  options.base = base;
  return options;
}

template <int Base>
void add_base(std::vector<Known>& list) {
  list.push_back({{"micronet", Base, "sparse3", "batch"}, make<MicroNetOptions{.base = Base}>});
  list.push_back(
      {{"micronet", Base, "two-s", "batch"}, make<MicroNetOptions{.base = Base, .context = UpKernel::two_s}>});
  list.push_back({{"micronet", Base, "bilinear", "batch"},
                  make<MicroNetOptions{.base = Base, .context = UpKernel::bilinear_1x1}>});
  list.push_back({{"micronet", Base, "sparse3", "batch-stats"},
                  make<MicroNetOptions{.base = Base, .statistics = Statistics::batch}>});
  list.push_back({{"micronet", Base, "sparse3", "instance"},
                  make<MicroNetOptions{.base = Base, .statistics = Statistics::instance}>});
  list.push_back({{"micronet-paper", Base, "sparse3", "batch"}, make<paper(Base)>});
}

const std::vector<Known>& known_networks() {
  static const std::vector<Known> list = [] {
    std::vector<Known> all;
    add_base<4>(all), add_base<8>(all), add_base<16>(all), add_base<32>(all);
    return all;
  }();
  return list;
}

}  // namespace

std::string describe(const NetworkChoice& c) {
  return message(c.name, " base ", c.base, ", context ", c.context, ", norm ", c.norm);
}

std::map<std::string, std::string> to_metadata(const NetworkChoice& c) {
  return {{"network", c.name},
          {"network.base", std::to_string(c.base)},
          {"network.context", c.context},
          {"network.norm", c.norm}};
}

NetworkChoice from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where) {
  const auto get = [&](const std::string& key) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
      throw IoError(message(where, ": the file's metadata has no '", key, "': it was not written by nucdet train"));
    return found->second;
  };
  NetworkChoice choice{get("network"), 0, get("network.context"), get("network.norm")};
  const std::string base = get("network.base");
  for (const Known& known : known_networks())
    if (std::to_string(known.choice.base) == base) choice.base = known.choice.base;
  if (choice.base == 0) throw IoError(message(where, ": network.base is '", base, "', which is not built in"));
  return choice;
}

std::unique_ptr<nn::Model<Cpu>> make_network(Context<Cpu>& context, const NetworkChoice& choice) {
  std::string list;
  for (const Known& known : known_networks()) {
    if (known.choice == choice) return known.maker(context);
    list += "\n  " + describe(known.choice);
  }
  throw ArgumentError(message("no network '", describe(choice), "' is built in; there are:", list));
}

}  // namespace nucdet::program

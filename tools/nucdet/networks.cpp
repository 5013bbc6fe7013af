#include "networks.hpp"

#include "nucdet/nets/micronet.hpp"
#include "nucdet/nn/network.hpp"

namespace nucdet::program {

namespace {

using nn::MicroNetOptions;
using nn::Statistics;
using nn::UpKernel;

template <class Device>
using Maker = std::unique_ptr<nn::Model<Device>> (*)(Context<Device>&, nn::Start);

template <MicroNetOptions O, class Device>
std::unique_ptr<nn::Model<Device>> make(Context<Device>& context, nn::Start start) {
  return std::make_unique<nn::Network<nn::MicroNet<O>, 3, Device>>(context, DType::f32, start);
}

template <class Device>
struct Known {
  NetworkChoice choice;
  Maker<Device> maker;
};

constexpr MicroNetOptions paper(int base) {
  MicroNetOptions options = MicroNetOptions::paper_literal();
  options.base = base;
  return options;
}

template <int Base, class Device>
void add_base(std::vector<Known<Device>>& list) {
  list.push_back({{"micronet", Base, "sparse3", "batch"}, make<MicroNetOptions{.base = Base}, Device>});
  list.push_back(
      {{"micronet", Base, "two-s", "batch"}, make<MicroNetOptions{.base = Base, .context = UpKernel::two_s}, Device>});
  list.push_back({{"micronet", Base, "bilinear", "batch"},
                  make<MicroNetOptions{.base = Base, .context = UpKernel::bilinear_1x1}, Device>});
  list.push_back({{"micronet", Base, "sparse3", "batch-stats"},
                  make<MicroNetOptions{.base = Base, .statistics = Statistics::batch}, Device>});
  list.push_back({{"micronet", Base, "sparse3", "instance"},
                  make<MicroNetOptions{.base = Base, .statistics = Statistics::instance}, Device>});
  list.push_back({{"micronet-paper", Base, "sparse3", "batch"}, make<paper(Base), Device>});
}

template <class Device>
const std::vector<Known<Device>>& known_networks() {
  static const std::vector<Known<Device>> list = [] {
    std::vector<Known<Device>> all;
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
  for (const auto& known : known_networks<Cpu>())
    if (std::to_string(known.choice.base) == base) choice.base = known.choice.base;
  if (choice.base == 0) throw IoError(message(where, ": network.base is '", base, "', which is not built in"));
  return choice;
}

template <class Device>
std::unique_ptr<nn::Model<Device>> make_network(Context<Device>& context, const NetworkChoice& choice,
                                                nn::Start start) {
  std::string list;
  for (const auto& known : known_networks<Device>()) {
    if (known.choice == choice) return known.maker(context, start);
    list += "\n  " + describe(known.choice);
  }
  throw ArgumentError(message("no network '", describe(choice), "' is built in; there are:", list));
}

template std::unique_ptr<nn::Model<Cpu>> make_network(Context<Cpu>&, const NetworkChoice&, nn::Start);
#ifdef NUCDET_WITH_CUDA
template std::unique_ptr<nn::Model<Cuda>> make_network(Context<Cuda>&, const NetworkChoice&, nn::Start);
#endif

}  // namespace nucdet::program

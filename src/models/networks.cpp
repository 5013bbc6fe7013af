#include "nucdet/models/networks.hpp"

#include <algorithm>

#include "nucdet/nets/fcn.hpp"
#include "nucdet/nets/fcrn.hpp"
#include "nucdet/nets/frcn.hpp"
#include "nucdet/nets/micronet.hpp"
#include "nucdet/nets/micronet_lite.hpp"
#include "nucdet/nets/unet.hpp"
#include "nucdet/nn/network.hpp"

namespace nucdet::models {

namespace {

template <class Device>
struct Known {
  NetworkChoice choice;
  std::unique_ptr<nn::Model<Device>> (*make)(Context<Device>&, nn::Start);
};

/// The table of what is built in: every type is named once, here.
template <class Device>
class Table {
 public:
  Table() {
    widths<4, 8, 16, 32>([&]<int B>() { micronets<B>(); });
    widths<4, 8, 16, 32, 64>([&]<int B>() {
      each_use([&]<int M>() {
        add<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = B, .maps = M}>>("micronet-lite", B, M);
      });
    });
    widths<8, 32>([&]<int B>() { with_classes<B, 2, 3, 4, 5, 6, 7, 8>(); });
    widths<4, 8, 16, 32>([&]<int B>() {
      add<nn::Frcn<nn::FrcnOptions{.base = B}>>("frcn", B, 1);
      add<nn::FcrnA<nn::FcrnOptions{.base = B}>>("fcrn-a", B, 1);
      add<nn::FcrnB<nn::FcrnOptions{.base = B}>>("fcrn-b", B, 1);
      add<nn::FcrnB<nn::FcrnOptions{.base = B, .variant = nn::FcrnBReading::b}>>("fcrn-b-alt", B, 1);
    });
    // Between the powers of two: where these cost what a MicroNet of base 8 does (nucdet study equal).
    add<nn::Frcn<nn::FrcnOptions{.base = 12}>>("frcn", 12, 1);
    add<nn::FcrnB<nn::FcrnOptions{.base = 7}>>("fcrn-b", 7, 1);
    add<nn::UNet<nn::UNetOptions{.base = 12, .maps = 2, .norm = true}>>("unet", 12, 2);
    widths<8, 16, 32, 64>([&]<int B>() {
      each_use([&]<int M>() {
        add<nn::UNet<nn::UNetOptions{.base = B, .maps = M, .norm = true}>>("unet", B, M);
        add<nn::Fcn8s<nn::FcnOptions{.base = B, .hidden = 64 * B, .maps = M, .norm = true}>>("fcn8s", B, M);
      });
      add<nn::UNet<nn::UNetOptions{.base = B}>>("unet", B, 2, "none");
      add<nn::Fcn8s<nn::FcnOptions{.base = B, .hidden = 64 * B}>>("fcn8s", B, 2, "none");
    });
  }
  const std::vector<Known<Device>>& list() const { return list_; }

 private:
  template <int... Bases, class Body>
  static void widths(const Body& body) {
    (body.template operator()<Bases>(), ...);
  }
  /// As a regressor and as a classifier of pixels.
  template <class Body>
  static void each_use(const Body& body) {
    body.template operator()<1>(), body.template operator()<2>();
  }
  template <int B>
  void micronets() {
    using nn::MicroNet, nn::MicroNetOptions, nn::UpKernel, nn::Statistics;
    each_use([&]<int M>() { add<MicroNet<MicroNetOptions{.base = B, .maps = M}>>("micronet", B, M); });
    add<MicroNet<MicroNetOptions{.base = B, .context = UpKernel::two_s}>>("micronet", B, 1, "batch", "two-s");
    add<MicroNet<MicroNetOptions{.base = B, .context = UpKernel::bilinear_1x1}>>("micronet", B, 1, "batch", "bilinear");
    add<MicroNet<MicroNetOptions{.base = B, .statistics = Statistics::batch}>>("micronet", B, 1, "batch-stats");
    add<MicroNet<MicroNetOptions{.base = B, .statistics = Statistics::instance}>>("micronet", B, 1, "instance");
    constexpr MicroNetOptions paper = [] {
      MicroNetOptions options = MicroNetOptions::paper_literal();
      options.base = B;
      return options;
    }();
    add<MicroNet<paper>>("micronet-paper", B, 1);
  }
  template <int B, int... Classes>
  void with_classes() {
    ((add<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = B, .classes = Classes}>>("micronet-lite", B, 1),
      list_.back().choice.classes = Classes),
     ...);
  }
  template <class S>
  void add(const char* name, int base, int maps, const char* norm = "batch", const char* context = "sparse3") {
    list_.push_back({{name, base, context, norm, maps}, [](Context<Device>& device, nn::Start start) {
                       return std::unique_ptr<nn::Model<Device>>(
                           std::make_unique<nn::Network<S, 3, Device>>(device, DType::f32, start));
                     }});
  }

  std::vector<Known<Device>> list_;
};

template <class Device>
const std::vector<Known<Device>>& known_networks() {
  static const Table<Device> table;
  return table.list();
}

/// The choice's neighbours in the table: those of its name, or the names there are.
std::string alternatives(const NetworkChoice& choice) {
  std::string list;
  for (const auto& known : known_networks<Cpu>())
    if (known.choice.name == choice.name) list += "\n  " + describe(known.choice);
  if (list.empty())
    for (const std::string& name : network_names()) list += "\n  " + name;
  return list;
}

int maps_of(const NetworkChoice& c) { return c.maps == 0 ? paper_use(c.name).maps : c.maps; }

}  // namespace

std::string describe(const NetworkChoice& c) {
  const int maps = maps_of(c);
  return message(c.name, " base ", c.base, ", context ", c.context, ", norm ", c.norm, ", ", maps,
                 maps == 1 ? " map" : " maps", c.classes == 0 ? "" : message(", ", c.classes, " classes"));
}

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& known : known_networks<Cpu>())
      if (std::find(list.begin(), list.end(), known.choice.name) == list.end()) list.push_back(known.choice.name);
    return list;
  }();
  return names;
}

std::vector<int> widths_of(const NetworkChoice& choice) {
  NetworkChoice like = choice;
  like.maps = maps_of(choice);
  std::vector<int> widths;
  for (const auto& known : known_networks<Cpu>()) {
    like.base = known.choice.base;
    if (known.choice == like) widths.push_back(like.base);
  }
  std::sort(widths.begin(), widths.end());
  return widths;
}

PaperUse paper_use(const std::string& network) {
  if (network == "unet" || network == "fcn8s") return {"disc", "cross-entropy", 2};
  if (network.starts_with("fcrn")) return {"gaussian", "squared", 1};
  return {};
}

std::map<std::string, std::string> to_metadata(const NetworkChoice& c) {
  std::map<std::string, std::string> metadata{{"network", c.name},
                                              {"network.base", std::to_string(c.base)},
                                              {"network.context", c.context},
                                              {"network.norm", c.norm},
                                              {"network.maps", std::to_string(maps_of(c))}};
  if (c.classes > 0) metadata["network.classes"] = std::to_string(c.classes);
  return metadata;
}

NetworkChoice network_from(const std::map<std::string, std::string>& metadata, const std::string& where) {
  const auto get = [&](const std::string& key) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
      throw IoError(message(where, ": the file's metadata has no '", key, "': it was not written by nucdet train"));
    return found->second;
  };
  // Files of a version that knew regressors only say nothing of maps.
  const std::string name = get("network"), base = get("network.base"), context = get("network.context"),
                    norm = get("network.norm"), maps = metadata.contains("network.maps") ? get("network.maps") : "1",
                    classes = metadata.contains("network.classes") ? get("network.classes") : "0";
  for (const auto& known : known_networks<Cpu>()) {
    const NetworkChoice& c = known.choice;
    if (c.name == name && std::to_string(c.base) == base && c.context == context && c.norm == norm &&
        std::to_string(c.maps) == maps && std::to_string(c.classes) == classes)
      return c;
  }
  throw IoError(message(where, ": the network '", name, "' base ", base, ", context ", context, ", norm ", norm, ", ",
                        maps, " maps, ", classes, " classes, is not built in"));
}

template <class Device>
std::unique_ptr<nn::Model<Device>> make_network(Context<Device>& context, const NetworkChoice& asked, nn::Start start) {
  NetworkChoice choice = asked;
  choice.maps = maps_of(asked);
  for (const auto& known : known_networks<Device>())
    if (known.choice == choice) return known.make(context, start);
  throw ArgumentError(message("no network '", describe(choice), "' is built in; there are:", alternatives(choice)));
}

template std::unique_ptr<nn::Model<Cpu>> make_network(Context<Cpu>&, const NetworkChoice&, nn::Start);
#ifdef NUCDET_WITH_CUDA
template std::unique_ptr<nn::Model<Cuda>> make_network(Context<Cuda>&, const NetworkChoice&, nn::Start);
#endif

}  // namespace nucdet::models

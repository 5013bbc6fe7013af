#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/nn/model.hpp"

/// The networks that the program knows by name: each is a type, chosen here at run time.
namespace nucdet::program {

struct NetworkChoice {
  std::string name = "micronet";    ///< micronet, or micronet-paper for the paper's words
  int base = 16;                    ///< filters of the first block
  std::string context = "sparse3";  ///< how context maps are brought up: sparse3, two-s, bilinear
  std::string norm = "batch";       ///< batch, batch-stats, instance

  friend bool operator==(const NetworkChoice&, const NetworkChoice&) = default;
};

/// "micronet base 16, context sparse3, norm batch"
std::string describe(const NetworkChoice& choice);

/// As metadata of a weight file, and back. Throws IoError, naming `where`, for metadata without a known network.
std::map<std::string, std::string> to_metadata(const NetworkChoice& choice);
NetworkChoice from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where);

/// Throws ArgumentError, listing what there is, for a combination that is not built in.
template <class Device>
std::unique_ptr<nn::Model<Device>> make_network(Context<Device>& context, const NetworkChoice& choice,
                                                nn::Start start = nn::Start::drawn);

}  // namespace nucdet::program

#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nucdet/nn/model.hpp"

/// The networks that are known by name: each is a type, chosen here at run time.
namespace nucdet::models {

struct NetworkChoice {
  std::string name = "micronet-lite";  ///< one of network_names()
  int base = 32;                       ///< filters of the first block
  std::string context = "sparse3";     ///< of micronet, how context maps are brought up: sparse3, two-s, bilinear
  std::string norm = "batch";          ///< batch; of micronet also batch-stats, instance; of unet and fcn8s also none
  int maps = 0;                        ///< 1 to regress a label map, 2 to classify pixels; 0: as the paper does
  int classes = 0;                     ///< of micronet-lite, base 8 or 32: of nuclei, 2 to 8; 0: none

  friend bool operator==(const NetworkChoice&, const NetworkChoice&) = default;
};

/// "micronet base 16, context sparse3, norm batch, 1 map"
std::string describe(const NetworkChoice& choice);

/// micronet, micronet-paper (the paper's words), micronet-lite, frcn, fcrn-a, fcrn-b, fcrn-b-alt, unet, fcn8s.
const std::vector<std::string>& network_names();

/// The widths in which a choice is built in, whatever its own, ascending; none for a name that is not known.
std::vector<int> widths_of(const NetworkChoice& choice);

/// How the paper uses a network: U-Net and FCN classify pixels, FCRN regresses a density, the others proximity.
struct PaperUse {
  std::string label = "proximity", loss = "weighted";
  int maps = 1;
};
PaperUse paper_use(const std::string& network);

/// As metadata of a weight file, and back. Throws IoError, naming `where`, for metadata without a known network.
std::map<std::string, std::string> to_metadata(const NetworkChoice& choice);
NetworkChoice network_from(const std::map<std::string, std::string>& metadata, const std::string& where);

/// Throws ArgumentError, listing what there is, for a combination that is not built in.
template <class Device>
std::unique_ptr<nn::Model<Device>> make_network(Context<Device>& context, const NetworkChoice& choice,
                                                nn::Start start = nn::Start::drawn);

}  // namespace nucdet::models

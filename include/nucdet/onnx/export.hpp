#pragma once
#include <string>
#include <vector>

#include "nucdet/data/normalization.hpp"
#include "nucdet/io/metadata.hpp"
#include "nucdet/nn/model.hpp"

/// Networks as files of ONNX, for programs that run those. Every layer writes itself (nn::Layer::write); here is what
/// is around them.
namespace nucdet::onnx {

/// What the exported network reads in its input `image`, float [N, C, H, W].
enum class Input {
  pixels,      ///< RGB from 0 to 255: the graph normalises them by the model's constants
  normalized,  ///< what the network itself reads: who runs it normalises, as the metadata say
};

struct ExportOptions {
  Input input = Input::pixels;
  data::Normalization normalization{};  ///< the model's
  io::Metadata metadata{};              ///< goes into the file, with what is known of the network and its input
};

/// What was made: the file's bytes, and a word on what is in it.
struct Exported {
  std::string bytes;
  int operators = 0;                 ///< nodes of the graph
  std::vector<std::string> outputs;  ///< their names: `map`, and of a network with classes `classes`
};

/// Whether this library was built with ONNX's; without it there is no export.
bool available();

/// The network as inference runs it (batch norm folded, no dropout), for any N, H and W; weights are stored as float.
/// Throws Error without ONNX's library, for a layer that does not say how it is written, and beyond 2 GB; ArgumentError
/// for pixels where each image is normalised by its own statistics.
Exported to_onnx(const nn::Model<Cpu>& model, const ExportOptions& options);

}  // namespace nucdet::onnx

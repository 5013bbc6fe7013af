#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/nn/summary.hpp"

namespace nucdet::nn {

/// The network as a graph in Graphviz's language, for inputs of one shape. A node is a named block (of graphs within
/// graphs the outer one): its name, channels x fraction of the input's resolution, parameters, and share of the FLOP.
/// A dashed arrow gives a size only.
template <class Device>
std::string dot(const Model<Device>& model, const Shape& input);

#ifdef NUCDET_BODIES

namespace detail {

/// "55.5 k", "45.1 kFLOP": the unit's name follows its prefix.
inline std::string short_number(double value, std::string_view unit = "") {
  int thousands = 0;
  for (; value >= 1e3 && thousands < 4; value /= 1e3) ++thousands;
  constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T"};
  char digits[32];
  std::snprintf(digits, sizeof digits, thousands == 0 ? "%.0f" : "%.1f", value);
  const std::string name = std::string(kPrefixes[thousands]) + std::string(unit);
  return name.empty() ? digits : digits + (" " + name);
}

inline std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

/// A string of the language: in quotes, and a quote in it escaped.
inline std::string dot_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\\\"" : std::string(1, c);
  return out + '"';
}

/// The named blocks of a network, as a drawing shows them.
class BlockDrawing {
 public:
  template <class Device>
  BlockDrawing(const Model<Device>& model, const Shape& input) : input_(input), costs_(cost_table(model, input)) {
    blocks_.push_back({.name = "input", .output = input});
    std::vector<std::size_t> block_of_slot(costs_.steps.size() + 1, 0);
    for (std::size_t k = 0; k < costs_.steps.size(); ++k) {
      const auto& step = model.program().steps()[k];
      const Wire& wire = model.program().wires()[k];
      const std::size_t to = block(step.node.substr(0, step.node.find('.')));
      blocks_[to].output = costs_.steps[k].shape;
      blocks_[to].parameters += costs_.steps[k].parameters, blocks_[to].flops += costs_.steps[k].flops;
      block_of_slot[static_cast<std::size_t>(wire.output)] = to;
      for (std::size_t i = 0; i < wire.inputs.size(); ++i) {
        const std::size_t from = block_of_slot[static_cast<std::size_t>(wire.inputs[i])];
        if (from != to) edges_.insert({from, to, !step.layer->reads(i)});
      }
    }
  }

  std::string text() const {
    std::string out =
        "digraph network {\n"
        "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n"
        "  edge [fontname=\"Helvetica\", fontsize=9];\n"
        "  labelloc=b; fontname=\"Helvetica\"; fontsize=11;\n";
    out += "  label=" +
           dot_string(short_number(static_cast<double>(costs_.parameters)) + " parameters, " +
                      short_number(static_cast<double>(costs_.flops), "FLOP") + " for " + message(input_)) +
           ";\n";
    for (std::size_t i = 0; i < blocks_.size(); ++i) out += node(i);
    for (const auto& [from, to, size_only] : edges_) {
      if (size_only && edges_.contains({from, to, false})) continue;
      out += message("  b", from, " -> b", to, size_only ? " [style=dashed, label=\" size\"]" : "", ";\n");
    }
    return out + "}\n";
  }

 private:
  struct Block {
    std::string name;
    Shape output;
    Index parameters = 0, flops = 0;
  };

  /// The number of a block, made at its first step. A network that is no graph is one block.
  std::size_t block(const std::string& name) {
    const std::string shown = name.empty() ? "network" : name;
    for (std::size_t i = 1; i < blocks_.size(); ++i)
      if (blocks_[i].name == shown) return i;
    blocks_.push_back({.name = shown, .output = {}});
    return blocks_.size() - 1;
  }
  /// Sizes are rounded down on the way, so a fraction is the nearest one of whole numbers.
  std::string resolution(const Shape& s) const {
    const double ratio = static_cast<double>(input_.h) / static_cast<double>(s.h);
    if (ratio < 1) return message(std::lround(1 / ratio));
    return ratio < 1.5 ? "1" : message("1/", std::lround(ratio));
  }
  std::string node(std::size_t i) const {
    const Block& b = blocks_[i];
    std::string label = b.name + "\\n" + message(b.output.c, " x ", resolution(b.output));
    if (b.parameters > 0) label += "\\n" + short_number(static_cast<double>(b.parameters)) + " parameters";
    if (b.flops > 0)
      label += "\\n" + percent(static_cast<double>(b.flops) / static_cast<double>(costs_.flops)) + " of FLOP";
    // The deeper, the darker; no darker than black letters stand.
    const double depth = std::log2(static_cast<double>(input_.h) / static_cast<double>(b.output.h));
    const long shade = 1 + std::clamp(std::lround(depth), 0L, 5L);
    return message("  b", i, " [label=", dot_string(label), ", fillcolor=\"/blues9/", shade, "\"];\n");
  }

  Shape input_;
  CostTable costs_;
  std::vector<Block> blocks_;
  std::set<std::tuple<std::size_t, std::size_t, bool>> edges_;  // from, to, of which only the size is read
};

}  // namespace detail

template <class Device>
std::string dot(const Model<Device>& model, const Shape& input) {
  return detail::BlockDrawing(model, input).text();
}

#endif

}  // namespace nucdet::nn

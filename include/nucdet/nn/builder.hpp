#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucdet/nn/program.hpp"
#include "nucdet/nn/spec.hpp"

namespace nucdet::nn {

/// Interpreter 2 of a spec: writes the steps of a program, and declares the layers' parameters under their paths.
template <class Device>
class ProgramBuilder {
 public:
  /// store: where the parameters are declared; it must outlive the program.
  explicit ProgramBuilder(ParameterStore<Device>& store) : store_(store) {}

  // The builder's words, the same as the Checker's.
  Slot input(int channels) { return {program_.append_input(), channels}; }
  template <class Leaf>
  Slot add(std::span<const Slot> in) {
    return {append(Leaf::template make<Device>(in), Leaf::role, in), Leaf::channels(in)};
  }
  void output(std::string_view name, const Slot& slot) {
    program_.add_output({std::string(name), slot.id, slot.channels});
  }
  Slot fail(Problem, int = 0, int = 0, std::string_view = {}) {
    throw Error("nucdet: ill-formed network");
  }  // the Checker was there first
  std::string enter(std::string_view node) {
    std::string outer = node_;
    if (!node_.empty()) node_ += '.';
    node_ += node;
    return outer;
  }
  void leave(std::string outer) { node_ = std::move(outer); }

  /// What was built. A network that names no output has the map that is made last, called "map".
  Program<Device> finish(const Slot& last) {
    if (program_.outputs().empty()) output("map", last);
    return std::move(program_);
  }

 private:
  /// Appends a layer, named by its role and its place; returns the slot it makes.
  int append(std::unique_ptr<Layer<Device>> layer, std::string_view role, std::span<const Slot> in) {
    std::string path = node_;  // put together piece by piece: g++ 12 warns of sums of strings (-Wrestrict)
    if (!path.empty()) path += '.';
    path += role;
    path += std::to_string(++roles_[path]);
    const std::size_t before = store_.entries().size();
    Binder<Device> binder(store_, path);
    layer->bind(binder);
    std::vector<int> inputs;
    for (const Slot& s : in) inputs.push_back(s.id);
    return program_.append({.layer = std::move(layer),
                            .node = node_,
                            .path = std::move(path),
                            .parameters = store_.entries().size() > before,
                            .gradients_end = store_.size(),
                            .number = program_.steps().size()},
                           std::move(inputs));
  }

  ParameterStore<Device>& store_;
  Program<Device> program_;
  std::string node_;
  std::map<std::string, int> roles_;  ///< how many layers of a role a node has
};

}  // namespace nucdet::nn

#pragma once
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "nucdet/core/fixed_string.hpp"
#include "nucdet/nn/head.hpp"

/// What a network is made of, before anything runs. A spec is an empty type with one function, build(builder, inputs):
/// it is written once and interpreted twice, by the Checker at compile time and by ProgramBuilder<Device> at run time.
namespace nucdet::nn {

/// A value flowing through the network: the step that makes it, and how many channels it has.
struct Slot {
  int id = -1;
  int channels = 0;
};

/// Mistakes that a type can contain.
enum class Problem {
  none,
  no_such_node,
  duplicate_node,
  unused_node,
  wrong_number_of_inputs,
  not_a_block,
  not_a_node,
  unequal_channels,
  bad_channels,
  even_kernel,
  bad_setting,
  nested_output,
  too_many_outputs,
  head_without_output,
  head_of_other_channels,
  no_such_branch,
  unequal_groups,
};

/// A name inside a Diagnosis: cut at 47 characters.
struct DiagnosedName {
  char text[48]{};

  constexpr DiagnosedName() = default;
  constexpr DiagnosedName(std::string_view name) {
    std::copy_n(name.data(), std::min<std::size_t>(name.size(), 47), text);
  }
  constexpr std::size_t size() const { return std::string_view(text).size(); }
};

/// The first mistake found in a network, small enough to be printed inside a compiler message.
struct Diagnosis {
  Problem problem = Problem::none;
  DiagnosedName node{};  ///< where it is
  DiagnosedName name{};  ///< what is named wrong there
  int expected = 0, got = 0;
};

/// Interpreter 1: follows the channels through a spec and remembers the first mistake.
class Checker {
 public:
  constexpr Slot input(int channels) { return {next_++, channels}; }

  template <class Leaf>
  constexpr Slot add(std::span<const Slot> in) {
    const int inputs = static_cast<int>(in.size());
    if (Leaf::inputs != 0 && Leaf::inputs != inputs) return fail(Problem::wrong_number_of_inputs, Leaf::inputs, inputs);
    if constexpr (requires { Leaf::equal_channels; })
      for (const Slot& s : in)
        if (s.channels != in[0].channels) return fail(Problem::unequal_channels, in[0].channels, s.channels);
    if constexpr (requires { Leaf::check(in); })
      if (const Diagnosis found = Leaf::check(in); found.problem != Problem::none)
        return fail(found.problem, found.expected, found.got);
    const int channels = Leaf::channels(in);
    if (channels < 1) return fail(Problem::bad_channels, 1, channels);
    return {next_++, channels};
  }

  constexpr Slot fail(Problem problem, int expected = 0, int got = 0, std::string_view name = {}) {
    if (found_.problem == Problem::none) found_ = {problem, node_, name, expected, got};
    return {next_++, expected > 0 ? expected : 1};
  }

  /// A map that leaves the network.
  constexpr void output(std::string_view name, const Slot& slot) {
    if (depth_ > 0) static_cast<void>(fail(Problem::nested_output));
    if (count_ == kMostOutputs)
      static_cast<void>(fail(Problem::too_many_outputs, static_cast<int>(kMostOutputs), static_cast<int>(count_) + 1));
    else
      outputs_[count_++] = {name, slot.channels};
  }
  /// After the last word: what a network that names no output gives, and whether the head fits the outputs.
  template <class Head>
  constexpr void finish(const Slot& last) {
    if (count_ == 0) output("map", last);
    for (const WantedOutput& wanted : Head::outputs) {
      if (wanted.channels == 0) continue;
      std::size_t i = 0;
      while (i < count_ && !wanted.name.empty() && outputs_[i].name != wanted.name) ++i;
      node_ = "(head)";
      if (i == count_)
        static_cast<void>(fail(Problem::head_without_output, 0, 0, wanted.name));
      else if (outputs_[i].channels != wanted.channels)
        static_cast<void>(
            fail(Problem::head_of_other_channels, wanted.channels, outputs_[i].channels, outputs_[i].name));
    }
  }

  /// Names the node being built; returns the one before, for leave().
  constexpr std::string_view enter(std::string_view node) {
    ++depth_;
    return std::exchange(node_, node);
  }
  constexpr void leave(std::string_view previous) { --depth_, node_ = previous; }
  constexpr Diagnosis diagnosis() const { return found_; }

 private:
  static constexpr std::size_t kMostOutputs = 16;
  int next_ = 0, depth_ = 0;
  std::array<WantedOutput, kMostOutputs> outputs_{};
  std::size_t count_ = 0;
  std::string_view node_ = "(top)";
  Diagnosis found_;
};

/// A building block: what stands inside a Node<...>, a Sequential<...> or a Network<...>.
template <class S>
concept Spec = requires(Checker& b, std::span<const Slot> in) {
  { S::build(b, in) } -> std::same_as<Slot>;
};

/// The block's slot; of what is no block a failure. Containers build their parts by it.
template <class S, class Builder>
constexpr Slot build_part(Builder& b, std::span<const Slot> in) {
  if constexpr (Spec<S>)
    return S::build(b, in);
  else
    return b.fail(Problem::not_a_block);
}

/// Base of the specs that stand for one run-time layer. A leaf adds
///
///     static constexpr std::string_view role        the layer's part in parameter names: down1.conv2.weight
///     template <class D> static std::unique_ptr<Layer<D>> make(std::span<const Slot>)
///
/// and may replace `inputs` (0: any number), `channels`, and add `check` and `equal_channels`.
template <class Self>
struct Leaf {
  static constexpr int inputs = 1;
  static constexpr int channels(std::span<const Slot> in) { return in[0].channels; }
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    return b.template add<Self>(in);
  }
};

/// Asks nothing of the outputs.
struct NoHead {
  static constexpr std::array<WantedOutput, 0> outputs{};
  static Head head() { return {}; }
};

namespace detail {
template <class S>
constexpr auto head_type() {
  if constexpr (requires { typename S::head; })
    return std::type_identity<typename S::head>{};
  else
    return std::type_identity<NoHead>{};
}
}  // namespace detail
/// The head that a network's type names.
template <class S>
using head_of = typename decltype(detail::head_type<S>())::type;

/// What the Checker finds in a network with this many input channels.
template <Spec S, int InChannels>
inline constexpr Diagnosis diagnosis_of = [] {
  Checker checker;
  const Slot x = checker.input(InChannels);
  const Slot last = S::build(checker, std::span(&x, 1));
  checker.template finish<head_of<S>>(last);
  return checker.diagnosis();
}();

// Names as packs of characters, which every compiler prints as letters: InNode<'m', 'a', 'p'>.
template <char...>
struct InNode {};
template <char...>
struct Named {};

namespace detail {
template <template <char...> class As, Diagnosis D, DiagnosedName Diagnosis::*Which>
constexpr auto letters() {
  return []<std::size_t... I>(std::index_sequence<I...>) { return As<(D.*Which).text[I]...>{}; }
  (std::make_index_sequence<(D.*Which).size()>());
}
}  // namespace detail
template <Diagnosis D>
using node_of = decltype(detail::letters<InNode, D, &Diagnosis::node>());
template <Diagnosis D>
using name_of_diagnosis = decltype(detail::letters<Named, D, &Diagnosis::name>());

/// Instantiated with the first mistake, so that the compiler prints it: the problem, the node, the name that is wrong
/// there, expected, got.
template <Problem What, class InNode, class Named, int Expected, int Got>
struct CheckNode {
  static_assert(What != Problem::no_such_node,
                "nucdet: From<...> of this node names one that is not above it (is it misspelt?): see Named");
  static_assert(What != Problem::duplicate_node, "nucdet: two nodes of this graph have the same name");
  static_assert(What != Problem::unused_node, "nucdet: nothing reads the output of this node");
  static_assert(What != Problem::not_a_block,
                "nucdet: what stands in this node is no block: it has no build(builder, inputs) -> Slot");
  static_assert(
      What != Problem::not_a_node,
      "nucdet: an item of this Graph is no Node: write Node<\"name\", ...> or Output<\"name\", ...> around it");
  static_assert(What != Problem::wrong_number_of_inputs,
                "nucdet: this node joins another number of inputs than From<...> gives");
  static_assert(What != Problem::unequal_channels,
                "nucdet: branches need equal channel counts (the weights of Multiply: as many, or one)");
  static_assert(What != Problem::bad_channels, "nucdet: a layer needs at least one channel");
  static_assert(What != Problem::even_kernel,
                "nucdet: a centred convolution needs an odd kernel (or explicit padding)");
  static_assert(What != Problem::no_such_branch,
                "nucdet: ConcatTo<k, ...> and AddTo<k, ...> take the size of branch k, and there is no such branch");
  static_assert(What != Problem::unequal_groups, "nucdet: the channels cannot be cut into so many equal groups");
  static_assert(
      What != Problem::bad_setting,
      "nucdet: a layer's kernel, stride, padding, dilation, factor, rate, epsilon or momentum is out of range");
  static_assert(What != Problem::nested_output, "nucdet: an Output stands in a graph within a graph");
  static_assert(What != Problem::too_many_outputs, "nucdet: a network has more outputs than it may");
  static_assert(What != Problem::head_without_output,
                "nucdet: the network's head names an output that it has not: see Named");
  static_assert(What != Problem::head_of_other_channels,
                "nucdet: the network's head wants another number of channels of this output");
};

}  // namespace nucdet::nn

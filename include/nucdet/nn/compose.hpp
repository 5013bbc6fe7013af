#pragma once
#include <array>

#include "nucdet/nn/spec.hpp"

/// The containers: how specs are wired. Nothing here exists at run time.
namespace nucdet::nn {

/// How many channels a layer gives: a number, or a share or a multiple of what its input has.
struct ChannelCount {
  int count = 0;                    ///< 0 beside a divisor: of the input
  int multiplier = 1, divisor = 0;  ///< the input's channels times the first, over the second

  constexpr ChannelCount(int channels) : count(channels) {}
  static constexpr ChannelCount of_input() {
    ChannelCount all(0);
    all.divisor = 1;
    return all;
  }

  constexpr ChannelCount operator/(int by) const {
    ChannelCount part = *this;
    return divisor > 0 ? (part.divisor *= by, part) : ChannelCount(count / by);
  }
  constexpr ChannelCount operator*(int by) const {
    ChannelCount more = *this;
    return divisor > 0 ? (more.multiplier *= by, more) : ChannelCount(count * by);
  }
  /// For an input of that many channels; 0, which no layer takes, if they cannot be cut so.
  constexpr int of(int input) const {
    if (divisor == 0) return count;
    return divisor < 0 || input * multiplier % divisor != 0 ? 0 : input * multiplier / divisor;
  }
};

/// As many channels as the input has; kSame / 4: a quarter of them.
inline constexpr ChannelCount kSame = ChannelCount::of_input();

/// One after the other.
template <class... Specs>
struct Sequential {
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    Slot y = in[0];
    bool first = true;
    ((y = build_part<Specs>(b, first ? in : std::span<const Slot>(&y, 1)), first = false), ...);
    return y;
  }
};

/// The input itself; no step is made.
struct Identity {
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    return in.size() == 1 ? in[0] : b.fail(Problem::wrong_number_of_inputs, 1, static_cast<int>(in.size()));
  }
};

/// The same block n times; the first one reads the input.
template <int Times, class S>
struct Repeat {
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    Slot y = in[0];
    for (int i = 0; i < Times; ++i) y = build_part<S>(b, std::span<const Slot>(&y, 1));
    return y;
  }
};

/// Branches and a leaf that combines them: branch i reads input i, or all of them share one input.
template <class Combine, class... Branches>
struct Join {
  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    constexpr std::size_t kCount = sizeof...(Branches);
    if (in.size() != 1 && in.size() != kCount)
      return b.fail(Problem::wrong_number_of_inputs, static_cast<int>(kCount), static_cast<int>(in.size()));
    std::size_t next = 0;
    const auto input = [&] { return in.size() == 1 ? in : in.subspan(next++, 1); };
    const std::array<Slot, kCount> ys{build_part<Branches>(b, input())...};
    return b.template add<Combine>(ys);
  }
};

/// Names of the nodes that a node reads; "input" is the graph's own input.
template <FixedString... Names>
struct From {
  static constexpr std::array<std::string_view, sizeof...(Names)> names{Names.view()...};
};

/// A named block of a Graph. Without From it reads the node above it.
template <FixedString Name, class S, class Inputs = From<>>
struct Node {
  using spec = S;
  static constexpr FixedString text = Name;
  static constexpr std::string_view name = Name.view();
  static constexpr auto from = Inputs::names;
};

/// A node whose map leaves the network under its name. Without a spec it is the node that From names, or the one above.
template <FixedString Name, class S = Identity, class Inputs = From<>>
struct Output : Node<Name, S, Inputs> {
  static constexpr bool leaves = true;
};

/// What stands in a Graph: a Node or an Output.
template <class N>
concept GraphItem = requires {
  typename N::spec;
  N::name;
  N::from;
};

/// A list of named nodes, read from top to bottom. Each Output leaves the network; without any, the last node does,
/// under the name "map". Write `struct Net : Graph<...> {};`.
template <class... Nodes>
struct Graph {
  static constexpr std::size_t size = sizeof...(Nodes);

  template <class Builder>
  static constexpr Slot build(Builder& b, std::span<const Slot> in) {
    if constexpr (!(GraphItem<Nodes> && ...)) {
      return b.fail(Problem::not_a_node);
    } else {
      return build_nodes(b, in);
    }
  }

 private:
  template <class Builder>
  static constexpr Slot build_nodes(Builder& b, std::span<const Slot> in) {
    std::array<Slot, size + 1> made{};
    made[0] = in[0];
    std::size_t count = 1;
    ((made[count] = build_node<Nodes>(b, made, count), ++count), ...);
    std::size_t node = 1;
    ((check_used<Nodes>(b, node), ++node), ...);
    return made[size];
  }

  template <class N>
  static constexpr bool kLeaves = requires {
    N::leaves;
  };

  template <class N, class Builder>
  static constexpr Slot build_node(Builder& b, const auto& made, std::size_t count) {
    const auto outer = b.enter(N::name);
    const Slot y = build_in<N>(b, made, count);
    b.leave(outer);
    if constexpr (kLeaves<N>) b.output(N::name, y);
    return y;
  }
  template <class N, class Builder>
  static constexpr Slot build_in(Builder& b, const auto& made, std::size_t count) {
    if (index_of(N::name, count) != count) return b.fail(Problem::duplicate_node, 0, 0, N::name);
    std::array<Slot, N::from.size() == 0 ? 1 : N::from.size()> in{made[count - 1]};
    for (std::size_t k = 0; k < N::from.size(); ++k) {
      const std::size_t source = index_of(N::from[k], count);
      if (source == count) return b.fail(Problem::no_such_node, 0, 0, N::from[k]);
      in[k] = made[source];
    }
    return build_part<typename N::spec>(b, in);
  }
  /// The position of a name among the first `count`, or `count`.
  static constexpr std::size_t index_of(std::string_view name, std::size_t count) {
    constexpr std::array<std::string_view, size + 1> names{"input", Nodes::name...};
    std::size_t i = 0;
    while (i < count && names[i] != name) ++i;
    return i;
  }
  template <class N, class Builder>
  static constexpr void check_used(Builder& b, std::size_t node) {
    if (kLeaves<N> || (node == size && !(kLeaves<Nodes> || ...))) return;
    std::size_t reader = 1;
    const bool used = ((reads<Nodes>(N::name, node, reader++)) || ...);
    if (used) return;
    const auto outer = b.enter(N::name);
    static_cast<void>(b.fail(Problem::unused_node));
    b.leave(outer);
  }
  template <class N>
  static constexpr bool reads(std::string_view name, std::size_t node, std::size_t reader) {
    if (N::from.size() == 0) return reader == node + 1;
    for (const std::string_view from : N::from)
      if (from == name) return true;
    return false;
  }
};

}  // namespace nucdet::nn

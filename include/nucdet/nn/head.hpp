#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/fixed_string.hpp"

/// What the maps of a network mean. A network's type names its head, `using head = Proximity;`; a weight file keeps it;
/// the detector reads from it where nuclei are sought and what class each has.
namespace nucdet::nn {

/// The head as a value.
struct Head {
  enum class Kind {
    none,       ///< not said: such a network can be run and trained, but not detect
    proximity,  ///< one map that is highest at nucleus centres (Eq. 1)
    density,    ///< one map whose integral counts nuclei
    softmax,    ///< scores of the background and of each class, before the softmax
  };
  Kind kind = Kind::none;
  std::string map{};                   ///< the output that nuclei are sought in; empty: the first
  std::string class_map{};             ///< the output with a score a class, before their softmax; empty: none
  std::vector<std::string> classes{};  ///< of nuclei, in the order of the scores

  friend bool operator==(const Head&, const Head&) = default;
};

constexpr std::string_view name_of(Head::Kind kind) {
  constexpr std::string_view names[] = {"none", "proximity", "density", "softmax"};
  return names[static_cast<int>(kind)];
}

/// Names of classes of nuclei: Classes<"lymphocyte", "tumour", "stroma">.
template <FixedString... Names>
struct Classes {
  static constexpr int count = sizeof...(Names);
  static std::vector<std::string> names() { return {std::string(Names.view())...}; }
};
/// So many classes, whose names come with the data.
template <int Count>
struct ClassCount {
  static constexpr int count = Count;
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (int i = 1; i <= Count; ++i) all.push_back("class " + std::to_string(i));
    return all;
  }
};

/// What a head asks of the outputs: so many channels of the one called so; an empty name means the first output.
struct WantedOutput {
  std::string_view name{};
  int channels = 0;  ///< 0: nothing is asked
};

/// Nuclei are the peaks of one map of proximity to the nearest centre.
struct Proximity {
  static constexpr std::array<WantedOutput, 2> outputs{{{"", 1}, {}}};
  static Head head() { return {.kind = Head::Kind::proximity}; }
};
/// Nuclei are the peaks of one map of density.
struct Density {
  static constexpr std::array<WantedOutput, 2> outputs{{{"", 1}, {}}};
  static Head head() { return {.kind = Head::Kind::density}; }
};
/// A classifier of pixels: the first map is the background's, then one a class. Nuclei are the peaks of the probability
/// that a pixel is none of the background.
template <class C = Classes<"nucleus">>
struct Softmax {
  static constexpr std::array<WantedOutput, 2> outputs{{{"", C::count + 1}, {}}};
  static Head head() {
    Head head{.kind = Head::Kind::softmax, .classes = C::names()};
    if (C::count < 2) head.classes.clear();
    return head;
  }
};
/// Nuclei are found by Map in the output "map", and the output "classes" gives each its class by a softmax over C.
template <class Map, class C>
struct Joint {
  static constexpr std::array<WantedOutput, 2> outputs{{{"map", Map::outputs[0].channels}, {"classes", C::count}}};
  static Head head() {
    Head head = Map::head();
    head.map = "map", head.class_map = "classes", head.classes = C::names();
    return head;
  }
};

/// The head of networks that regress one map or classify pixels, as they are asked for: one map of proximity, or the
/// scores of the background and of Maps - 1 classes.
template <int Maps>
struct HeadOfMaps : Softmax<ClassCount<Maps - 1>> {};
template <>
struct HeadOfMaps<1> : Proximity {};

}  // namespace nucdet::nn

#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace nucdet {

/// A string literal as a template argument: Node<"down1", ...>.
template <std::size_t N>
struct FixedString {
  char text[N]{};
  constexpr FixedString(const char (&s)[N]) { std::copy_n(s, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace nucdet

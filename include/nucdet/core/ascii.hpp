#pragma once
#include <string>

namespace nucdet {

/// Of the letters of ASCII; other bytes stay, whatever the locale.
constexpr char small_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline std::string small_letters(std::string text) {
  for (char& c : text) c = small_letter(c);
  return text;
}

}  // namespace nucdet

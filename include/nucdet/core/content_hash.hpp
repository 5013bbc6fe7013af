#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nucdet {

/// The first `digits` of 16 hexadecimal ones.
inline std::string hexadecimal(std::uint64_t value, int digits = 16) {
  std::string text;
  for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
  return text;
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit depends on all.
constexpr std::uint64_t mixed(std::uint64_t v) {
  v = (v ^ (v >> 30)) * 0xBF58476D1CE4E5B9u;
  v = (v ^ (v >> 27)) * 0x94D049BB133111EBu;
  return v ^ (v >> 31);
}

/// 64 bits of FNV-1a: tells files, data and settings apart where they differ by accident, not where somebody means them
/// to look alike.
class ContentHash {
 public:
  void add(const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      value_ = (value_ ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211ULL;
  }
  void add(std::string_view text) { add(text.data(), text.size()); }
  void add(double number) { add(&number, sizeof number); }
  void add(std::uint64_t number) { add(&number, sizeof number); }
  std::uint64_t value() const { return value_; }
  std::string text() const { return hexadecimal(value_); }

 private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

}  // namespace nucdet

#include "suggestions.hpp"

#include <algorithm>

namespace nucdet::program {

namespace {

/// Letters to add, leave out, change, or exchange with the next one (the distance of Damerau, for whole neighbours).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string likely(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 100;  // of what anyone calls an option
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  if (letters < 2 || word.size() > kLongest) return {};
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(1, letters / 3) + 1;
  for (const std::string& name : known) {
    // A beginning of a word is near, but a word with a slip is nearer.
    const std::size_t distance = name.starts_with(word) ? 1 : edits(word, name);
    if (distance < least) least = distance, best = &name;
  }
  return best == nullptr ? std::string() : *best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = likely(word, known);
  return near.empty() ? near : ", did you mean '" + near + "'?";
}

}  // namespace nucdet::program

#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace nucdet::program {

/// The known word that was most likely meant: the one that a few letters added, left out, changed or exchanged make of
/// `word`, or that begins with it. Empty if none is near.
std::string likely(std::string_view word, const std::vector<std::string>& known);

/// ", did you mean 'detect'?", or nothing.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace nucdet::program

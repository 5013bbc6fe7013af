#pragma once
#include <string>

#include "options.hpp"

/// What the declared options are turned into, so that nothing is said twice.
namespace nucdet::program {

/// The manual page, in the language of man(7).
std::string manual(const CLI::App& app);

/// The completion of commands, options and their words for a shell: bash, zsh or fish. Throws ArgumentError for others.
std::string completion(const CLI::App& app, const std::string& shell);

/// The words that an option takes, where they are a list: fp32, tf32, ...
std::vector<std::string> words_of(const CLI::Option& option);

/// Whether an option is followed by a value.
bool takes_value(const CLI::Option& option);

}  // namespace nucdet::program

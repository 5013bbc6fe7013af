#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "options.hpp"

/// The command line as a whole: its commands, its configuration file, and what is said of mistakes in either.
namespace nucdet::program {

/// A command and what it does once its options are known.
struct Command {
  const CLI::App* app;
  std::function<int()> run;
};

/// Declares a command, of the program or of a command with commands of its own: `declare` names its options in
/// `Options`, `run` does it.
template <class Options>
void add_command(CLI::App& app, std::vector<Command>& all, CLI::App& (*declare)(CLI::App&, Options&),
                 int (*run)(const Options&)) {
  const auto options = std::make_shared<Options>();
  const CLI::App& command = declare(app, *options);
  all.push_back({&command, [options, run] { return run(*options); }});
}

/// Adds --config: options from a TOML or INI file, in a section a command. Unknown sections and keys, and files that
/// are no text, are refused. What the command line says comes first.
void add_config(CLI::App& app);

/// What to say of a command line that cannot be parsed: misspelt commands and options first, with the likely one.
std::string describe_mistake(const CLI::App& app, const CLI::ParseError& error);

/// The commands, and of one the names of its options, as they are typed. Hidden ones are left out.
std::vector<const CLI::App*> commands_of(const CLI::App& app);
/// All commands, those of commands after them.
std::vector<const CLI::App*> all_commands_of(const CLI::App& app);
/// What is typed after "nucdet" for a command: "detect", "slide info".
std::string path_of(const CLI::App& command);
std::vector<std::string> names_of_commands(const CLI::App& app);
std::vector<std::string> names_of_options(const CLI::App& command);
/// "--threshold", "--floor"
std::vector<std::string> names_of(const CLI::Option& option);

}  // namespace nucdet::program

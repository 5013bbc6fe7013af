#include "command_line.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "suggestions.hpp"

namespace nucdet::program {

namespace {

/// What a key in a configuration file may be called: names of options without dashes, and of positional arguments.
std::vector<std::string> keys_of(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_configurable()) continue;
    for (const std::string& name : option->get_lnames()) keys.push_back(name);
    for (const std::string& name : option->get_snames()) keys.push_back(name);
    if (option->get_positional()) keys.push_back(option->get_name(true));
  }
  return keys;
}

/// CLI11's reader, which takes anything for a file of options, with a look at what it read.
class StrictConfig : public CLI::ConfigTOML {
 public:
  explicit StrictConfig(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    std::istringstream text(whole_text(in));
    std::vector<CLI::ConfigItem> read = CLI::ConfigTOML::from_config(text);
    for (const CLI::ConfigItem& item : read) check(item);
    // What a preset sets, the other keys change, wherever they stand.
    std::stable_partition(read.begin(), read.end(), [](const auto& item) { return item.name == "preset"; });
    return read;
  }

 private:
  std::string file() const {
    const std::vector<std::string> named = app_.get_config_ptr()->results();
    return named.empty() ? "--config" : named.front();
  }
  [[noreturn]] void refuse(const std::string& what) const { throw CLI::ConfigError(file() + ": " + what); }

  std::string whole_text(std::istream& in) const {
    constexpr std::size_t kMostBytes = 1 << 20;
    std::string text(kMostBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMostBytes) refuse("larger than 1 MiB, wanted lines 'key = value' in sections like [detect]");
    const auto unreadable = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
    };
    if (std::any_of(text.begin(), text.end(), unreadable))
      refuse("is no text, wanted lines 'key = value' in sections like [detect]");
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // of editors on Windows
    check_quotes(text);
    return text;
  }

  /// CLI11 takes a quote that is not closed for a part of the value.
  void check_quotes(const std::string& text) const {
    std::istringstream lines(text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const std::size_t equals = line.find('='), begin = line.find_first_not_of(" \t", equals + 1);
      if (equals == line.npos || begin == line.npos || (line[begin] != '"' && line[begin] != '\'')) continue;
      if (line.find(line[begin], begin + 1) == line.npos)
        refuse("line " + std::to_string(number) + ": the quote is not closed");
    }
  }

  void check(const CLI::ConfigItem& item) const {
    const CLI::App* command = &app_;
    for (const std::string& section : item.parents) {
      const std::vector<std::string> commands = names_of_commands(*command);
      const bool known = std::find(commands.begin(), commands.end(), section) != commands.end();
      if (!known)
        refuse("section '" + section + "' is no command" + suggestion(section, commands) +
               " (sections are called after the commands of nucdet)");
      command = command->get_subcommand(section);
    }
    if (item.name == "++" || item.name == "--") return;
    const std::vector<std::string> keys = keys_of(*command);
    if (std::find(keys.begin(), keys.end(), item.name) != keys.end()) return;
    const std::string of = command == &app_ ? "outside of a section" : "in section [" + section_of(*command) + "]";
    refuse("unknown key '" + item.name + "' " + of + suggestion(item.name, keys) +
           (command == &app_ ? " (options of a command stand below its name: [detect])" : ""));
  }

  static std::string section_of(const CLI::App& command) {
    std::string path = path_of(command);
    std::replace(path.begin(), path.end(), ' ', '.');
    return path;
  }

  const CLI::App& app_;
};

/// "nucdet", "nucdet slide info"
std::string typed(const CLI::App& command) {
  const std::string path = path_of(command);
  return path.empty() ? "nucdet" : "nucdet " + path;
}

/// The words that a command did not know, of which the first is what matters.
std::string unknown_word(const CLI::App& command) {
  const std::vector<std::string> unknown = command.remaining();
  if (unknown.empty()) return {};
  const auto option = std::find_if(unknown.begin(), unknown.end(), [](const auto& w) { return w.starts_with('-'); });
  if (option != unknown.end()) {
    const std::string name = option->substr(0, option->find('='));
    const std::vector<std::string> names = names_of_options(command);
    return "unknown option '" + name + "' of " + typed(command) + suggestion(name, names);
  }
  const std::vector<std::string> commands = names_of_commands(command);
  if (commands.empty()) return "'" + unknown[0] + "' is one argument more than " + typed(command) + " takes";
  const std::string of = command.get_parent() == nullptr ? "" : " of " + typed(command);
  return "unknown command '" + unknown[0] + "'" + of + suggestion(unknown[0], commands);
}

/// Those of the commands that were named first.
std::string unknown_words(const CLI::App& command) {
  for (const CLI::App* below : command.get_subcommands())
    if (std::string mistake = unknown_words(*below); !mistake.empty()) return mistake;
  return unknown_word(command);
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) commands.push_back(command);
  return commands;
}

std::vector<const CLI::App*> all_commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* command : commands_of(app)) {
    all.push_back(command);
    const std::vector<const CLI::App*> below = all_commands_of(*command);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

std::string path_of(const CLI::App& command) {
  if (command.get_parent() == nullptr) return {};
  const std::string above = path_of(*command.get_parent());
  return above.empty() ? command.get_name() : above + ' ' + command.get_name();
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (std::string& name : names_of(*option)) names.push_back(std::move(name));
  return names;
}

void add_config(CLI::App& app) {
  app.set_config("--config", "",
                 "Read options from a TOML or INI file, in sections like [detect]; the command line goes first");
  app.config_formatter(std::make_shared<StrictConfig>(app));
}

std::string describe_mistake(const CLI::App& app, const CLI::ParseError& error) {
  if (const std::string mistake = unknown_words(app); !mistake.empty()) return mistake;
  const bool from_file =
      app.get_config_ptr()->count() > 0 && error.get_name() != "ConfigError" && error.get_name() != "FileError";
  const std::string file = from_file ? app.get_config_ptr()->results().front() : "";
  return error.what() + (file.empty() ? "" : " (options were also read from " + file + ")");
}

}  // namespace nucdet::program

#include <algorithm>

#include "nucdet/core/error.hpp"

#include "command_line.hpp"
#include "manual.hpp"

namespace nucdet::program {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : between) + word;
  return all;
}

/// A word in single quotes, as all three shells read it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + '\'';
}

/// The commands as they are typed, each quoted: 'detect', 'slide', 'slide info'.
std::string patterns_of(const CLI::App& app) {
  std::vector<std::string> patterns;
  for (const CLI::App* command : all_commands_of(app)) patterns.push_back(quoted(path_of(*command)));
  return joined(patterns, "|");
}

bool has_commands(const CLI::App& command) { return !commands_of(command).empty(); }

/// Commands, of what has such, then options.
std::string words_after(const CLI::App& command) {
  std::vector<std::string> words = names_of_commands(command);
  for (std::string& name : names_of_options(command)) words.push_back(std::move(name));
  return joined(words, " ");
}

std::string bash(const CLI::App& app) {
  std::string lists, words;
  for (const CLI::App* command : all_commands_of(app)) {
    lists += "    " + quoted(path_of(*command)) + ") words=" + quoted(words_after(*command)) +
             (has_commands(*command) ? "; more=1" : "; more=") + " ;;\n";
    for (const CLI::Option* option : command->get_options())
      if (const std::vector<std::string> known = words_of(*option); !known.empty() && !option->get_lnames().empty()) {
        std::string patterns;
        for (const std::string& name : names_of(*option))
          patterns += (patterns.empty() ? "" : "|") + quoted(path_of(*command) + ' ' + name);
        words += "    " + patterns + ") words=" + quoted(joined(known, " ")) + "; more=1 ;;\n";
      }
  }
  return "# Completion of nucdet for bash, made by: nucdet completion bash\n"
         "_nucdet() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= more=1 i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case ${command:+$command }${COMP_WORDS[i]} in\n    " +
         patterns_of(app) +
         ") command=${command:+$command }${COMP_WORDS[i]} ;;\n    esac\n  done\n"
         "  case $command in\n" +
         lists + "    *) words=" + quoted(words_after(app)) +
         " ;;\n  esac\n"
         "  case \"$command $previous\" in\n" +
         words +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  if [[ $current == -* || -n $more ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  fi\n"
         "}\n"
         "complete -o default -F _nucdet nucdet\n";
}

std::string zsh(const CLI::App& app) {
  const auto entry = [](std::string name, const std::string& what) {
    for (std::size_t at = 0; (at = name.find(':', at)) != std::string::npos; at += 2) name.insert(at, "\\");
    return "    " + quoted(name + ':' + what.substr(0, what.find('\n'))) + '\n';
  };
  const auto commands_in = [&](const CLI::App& of) {
    std::string all;
    for (const CLI::App* command : commands_of(of)) all += entry(command->get_name(), command->get_description());
    return "commands=(\n" + all + ")";
  };
  std::string lists;
  for (const CLI::App* command : all_commands_of(app)) {
    lists += "  " + quoted(path_of(*command)) + ") " + commands_in(*command) + "; options=(\n";
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : names_of(*option)) lists += entry(name, option->get_description());
    lists += "  ) ;;\n";
  }
  return "#compdef nucdet\n"
         "# Completion of nucdet for zsh, made by: nucdet completion zsh\n"
         "local -a commands options\n"
         "local command= word\n" +
         commands_in(app) +
         "\n"
         "for word in ${words[2,CURRENT-1]}; do\n"
         "  case ${command:+$command }$word in\n  " +
         patterns_of(app) +
         ") command=${command:+$command }$word ;;\n  esac\ndone\n"
         "case $command in\n" +
         lists +
         "esac\n"
         "if [[ $PREFIX == -* && -n $command ]]; then\n"
         "  _describe option options\n"
         "elif (( ${#commands} )); then\n"
         "  _describe command commands\n"
         "else\n"
         "  _files\n"
         "fi\n";
}

/// What fish asks: whether the words of a command were typed, and none of those that may follow.
std::string seen_in_fish(const CLI::App& command) {
  std::string condition;
  for (const CLI::App* c = &command; c->get_parent() != nullptr; c = c->get_parent())
    condition = "__fish_seen_subcommand_from " + c->get_name() + (condition.empty() ? "" : "; and ") + condition;
  if (condition.empty()) return "__fish_use_subcommand";
  if (has_commands(command))
    condition += "; and not __fish_seen_subcommand_from " + joined(names_of_commands(command), " ");
  return condition;
}

std::string fish(const CLI::App& app) {
  std::string script = "# Completion of nucdet for fish, made by: nucdet completion fish\n";
  for (const CLI::App* command : all_commands_of(app)) {
    script += "complete -c nucdet -n '" + seen_in_fish(*command->get_parent()) + "' -f -a " + command->get_name() +
              " -d " + quoted(command->get_description()) + '\n';
    for (const CLI::Option* option : command->get_options()) {
      if (names_of(*option).empty()) continue;
      script += "complete -c nucdet -n '" + seen_in_fish(*command) + "'";
      for (const std::string& name : option->get_lnames()) script += " -l " + name;
      for (const std::string& name : option->get_snames()) script += " -s " + name;
      const std::vector<std::string> words = words_of(*option);
      if (!words.empty())
        script += " -x -a " + quoted(joined(words, " "));
      else if (takes_value(*option))
        script += " -r";
      script += " -d " + quoted(option->get_description()) + '\n';
    }
  }
  return script;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  if (shell == "fish") return fish(app);
  throw ArgumentError(message("completion: shell '", shell, "', wanted bash, zsh or fish"));
}

}  // namespace nucdet::program

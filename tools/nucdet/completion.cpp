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

std::string bash(const CLI::App& app) {
  std::string lists, words;
  for (const CLI::App* command : commands_of(app)) {
    lists += "    " + command->get_name() + ") words=" + quoted(joined(names_of_options(*command), " ")) + " ;;\n";
    for (const CLI::Option* option : command->get_options())
      if (const std::vector<std::string> known = words_of(*option); !known.empty() && !option->get_lnames().empty()) {
        std::string patterns;
        for (const std::string& name : names_of(*option))
          patterns += (patterns.empty() ? "" : "|") + quoted(command->get_name() + ' ' + name);
        words += "    " + patterns + ") words=" + quoted(joined(known, " ")) + "; value=1 ;;\n";
      }
  }
  return "# Completion of nucdet for bash, made by: nucdet completion bash\n"
         "_nucdet() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= value= i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case ${COMP_WORDS[i]} in\n    " +
         joined(names_of_commands(app), "|") +
         ") command=${COMP_WORDS[i]}; break ;;\n    esac\n  done\n"
         "  case $command in\n" +
         lists +
         "    *) words=" + quoted(joined(names_of_commands(app), " ") + ' ' + joined(names_of_options(app), " ")) +
         " ;;\n  esac\n"
         "  case \"$command $previous\" in\n" +
         words +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  if [[ $current == -* || -n $value || -z $command ]]; then\n"
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
  std::string commands, lists;
  for (const CLI::App* command : commands_of(app)) {
    commands += entry(command->get_name(), command->get_description());
    lists += "  " + command->get_name() + ") options=(\n";
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : names_of(*option)) lists += entry(name, option->get_description());
    lists += "  ) ;;\n";
  }
  return "#compdef nucdet\n"
         "# Completion of nucdet for zsh, made by: nucdet completion zsh\n"
         "local -a commands options\n"
         "local command= word\n"
         "commands=(\n" +
         commands +
         ")\n"
         "for word in ${words[2,CURRENT-1]}; do\n"
         "  case $word in\n  " +
         joined(names_of_commands(app), "|") +
         ") command=$word; break ;;\n  esac\ndone\n"
         "case $command in\n" +
         lists +
         "esac\n"
         "if [[ -z $command ]]; then\n"
         "  _describe command commands\n"
         "elif [[ $PREFIX == -* ]]; then\n"
         "  _describe option options\n"
         "else\n"
         "  _files\n"
         "fi\n";
}

std::string fish(const CLI::App& app) {
  std::string script = "# Completion of nucdet for fish, made by: nucdet completion fish\n";
  for (const CLI::App* command : commands_of(app)) {
    script += "complete -c nucdet -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
              quoted(command->get_description()) + '\n';
    for (const CLI::Option* option : command->get_options()) {
      if (names_of(*option).empty()) continue;
      script += "complete -c nucdet -n '__fish_seen_subcommand_from " + command->get_name() + "'";
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

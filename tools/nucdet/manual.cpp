#include "manual.hpp"

#include <algorithm>

#include "nucdet/version.hpp"

#include "command_line.hpp"

namespace nucdet::program {

namespace {

/// Text for troff: nothing of it is taken for a request or an escape.
std::string roff(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_begins = c == '\n';
  }
  return out;
}

/// What stands after an option's names: " FP32|TF32", " NUMBER".
std::string value_of(const CLI::Option& option) {
  if (!takes_value(option)) return {};
  std::string words;
  for (const std::string& word : words_of(option)) words += (words.empty() ? "" : "|") + word;
  if (!words.empty()) return ' ' + words;
  const std::string type = option.get_type_name();
  return ' ' + (type.empty() ? std::string("VALUE") : type.substr(0, type.find(':')));
}

std::string names_of(const CLI::Option& option) {
  if (option.get_positional() && option.get_lnames().empty()) return option.get_name(true);
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names;
}

void describe(const CLI::App& command, std::string& page) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    page += ".TP\n\\fB" + roff(names_of(*option)) + "\\fR" + roff(value_of(*option)) + '\n';
    std::string text = option->get_description();
    if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ')';
    if (!option->get_envname().empty()) text += " (environment: " + option->get_envname() + ')';
    if (option->get_required()) text += " (required)";
    page += roff(text) + '\n';
  }
}

/// What is said below the options, without what every command says.
std::string footer_of(const CLI::App& command) {
  std::string text = command.get_footer();
  if (const std::size_t at = text.find(kExitCodes); at != std::string::npos) text.resize(at);
  return text;
}

}  // namespace

std::vector<std::string> words_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{'), end = type.find('}');
  std::vector<std::string> words;
  if (begin == std::string::npos || end == std::string::npos || end < begin) return words;
  for (std::size_t at = begin + 1; at < end;) {
    const std::size_t comma = std::min(type.find(',', at), end);
    words.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string manual(const CLI::App& app) {
  std::string page = ".TH NUCDET 1 \"\" \"nucdet " NUCDET_VERSION_STRING "\" \"User Commands\"\n";
  page +=
      ".SH NAME\nnucdet \\- detects nuclei in H&E images\n.SH SYNOPSIS\n\\fBnucdet\\fR [\\fB\\-\\-config\\fR FILE] "
      "COMMAND [OPTIONS] ...\n.SH DESCRIPTION\n" +
      roff(app.get_description()) + '\n';
  page += ".PP\nThe commands:\n";
  for (const CLI::App* command : all_commands_of(app))
    page += ".TP\n\\fB" + roff(path_of(*command)) + "\\fR\n" + roff(command->get_description()) + '\n';
  page += ".SH OPTIONS\n";
  describe(app, page);
  for (const CLI::App* command : all_commands_of(app)) {
    std::string name = path_of(*command);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
    page += ".SH NUCDET " + roff(name) + '\n' + roff(command->get_description()) + ".\n";
    describe(*command, page);
    if (const std::string footer = footer_of(*command); !footer.empty()) page += ".PP\n.nf\n" + roff(footer) + ".fi\n";
  }
  page += ".SH EXIT STATUS\n" + roff(kExitCodes);
  page +=
      ".SH ENVIRONMENT\n.TP\n\\fBNUCDET_MODEL\\fR\nThe weights that are used when none are named.\n"
      ".TP\n\\fBSLURM_CPUS_PER_TASK\\fR, \\fBOMP_NUM_THREADS\\fR\nThe most threads, where "
      "\\fB\\-\\-threads\\fR and \\fBNUCDET_THREADS\\fR say nothing.\n";
  page +=
      ".SH FILES\n.TP\nThe file of \\fB\\-\\-config\\fR\nA section a command, a line an option, its name without "
      "dashes:\n.PP\n.nf\n[detect]\nthreshold = 0.4\noverlay = true\n.fi\n";
  return page;
}

}  // namespace nucdet::program

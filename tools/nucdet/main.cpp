#include <csignal>
#include <iostream>

#include "nucdet/version.hpp"

#include "command_line.hpp"
#include "endings.hpp"
#include "manual.hpp"

namespace {

using namespace nucdet::program;

/// The commands, in the order of the help.
std::vector<Command> declare_commands(CLI::App& app) {
  std::vector<Command> all;
  add_command(app, all, add_train, train);
  add_command(app, all, add_detect, detect);
  add_command(app, all, add_merge, merge);
  add_command(app, all, add_run_page, run_page);
  add_command(app, all, add_evaluate, evaluate);
  add_command(app, all, add_overlay, overlay);
  add_command(app, all, add_augment, augment);
  add_command(app, all, add_synth, synth);
  add_command(app, all, add_convert, convert);
  add_command(app, all, add_manifest, manifest);
  add_command(app, all, add_summary, summary);
  add_command(app, all, add_export, export_network);
  add_command(app, all, add_bench, bench);
  add_command(app, all, add_study, run_study);
  CLI::App& slide = add_slide(app);
  add_command(slide, all, add_slide_info, slide_info);
  add_command(slide, all, add_slide_thumbnail, slide_thumbnail);
  add_command(slide, all, add_slide_tissue, slide_tissue);
  add_command(app, all, add_doctor, doctor);
  all.push_back({app.add_subcommand("man", "Print the manual page; to read it: nucdet man | man -l -"), [&app] {
                   std::cout << manual(app);
                   return kDone;
                 }});
  CLI::App* const complete = app.add_subcommand("completion", "Print a script that completes commands and options");
  const auto shell = std::make_shared<std::string>();
  complete->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  all.push_back({complete, [&app, shell] {
                   std::cout << completion(app, *shell);
                   return kDone;
                 }});
  return all;
}

/// Parses and runs.
int run(CLI::App& app, int argc, char** argv) {
  const std::vector<Command> commands = declare_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help and version
    complain(describe_mistake(app, error));
    std::cerr << "Run with --help for more information.\n";
    return kWrongUsage;
  }
  for (const Command& command : commands)
    if (command.app->parsed()) return command.run();
  return kWrongUsage;
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit of sizes (ulimit -f) is a write that fails, with a message
  return guarded([&] {
    CLI::App app("nucdet: detects nuclei in H&E images by regressing a proximity map (Xing et al. 2019)");
    app.require_subcommand(1);
    app.set_version_flag("--version", "nucdet " NUCDET_VERSION_STRING);
    app.footer(kExitCodes);
    add_config(app);
    return run(app, argc, argv);
  });
}

#pragma once
#include <CLI/CLI.hpp>

#include "commands.hpp"

/// Options that several subcommands have.
namespace nucdet::program {

void add_network(CLI::App& app, NetworkChoice& network);
void add_maps(CLI::App& app, NetworkChoice& network);
void add_device(CLI::App& app, DeviceOptions& options);
void add_quiet(CLI::App& app, bool& quiet);

}  // namespace nucdet::program

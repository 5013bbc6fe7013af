#include <cstdint>
#include <sstream>
#include <string>

#include "command_line.hpp"

/// Any text as --config reads it: options that exist, or an error of the command line. The options stand for the kinds
/// that there are: flags, texts, numbers in a range, lists, those of a subcommand.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  CLI::App app;
  nucdet::program::add_config(app);
  CLI::App& detect = *app.add_subcommand("detect", "");
  bool overlay = false;
  std::string out;
  double threshold = 0;
  std::vector<double> weights;
  detect.add_flag("--overlay", overlay);
  detect.add_option("--out", out);
  detect.add_option("--threshold", threshold)->check(CLI::NonNegativeNumber);
  detect.add_option("--weights", weights)->delimiter(',');
  std::istringstream text(std::string(reinterpret_cast<const char*>(data), size));
  try {
    app.parse_from_stream(text);
  } catch (const CLI::Error&) {}
  return 0;
}

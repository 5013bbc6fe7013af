#include "options.hpp"
#include "validators.hpp"

/// The command line of what becomes of a run over many images.
namespace nucdet::program {

CLI::App& add_merge(CLI::App& app, MergeOptions& o) {
  CLI::App& c = *app.add_subcommand("merge", "Put the reports of a run's tasks together");
  c.footer(
      "Examples:\n"
      "  nucdet detect @slides.lst --shard 1/8 --out found --report found/run-1.jsonl --skip-existing\n"
      "  nucdet merge found --list slides.lst --out found\n"
      "Writes summary.csv (a line an image) and run.json (totals, errors, what is missing). Of each image the latest\n"
      "record counts. Ends with 3 where an image failed or is missing.\n" +
      std::string(kExitCodes));
  c.add_option("runs", o.runs, "Reports of detect --report, or folders with *.jsonl")->required();
  c.add_option("-o,--out", o.out, "Folder for summary.csv and run.json")->required();
  c.add_option("--list", o.list, "What the run was over, as detect was given it: those without a record are missing");
  c.add_option("--split", o.split, "Only this split of a manifest");
  add_lists(c, o.recursive);
  add_json(c, o.json);
  return c;
}

CLI::App& add_run_page(CLI::App& app, RunPageOptions& o) {
  CLI::App& c = *app.add_subcommand("report", "Make a page of a run's images, to look at in a browser");
  c.footer(
      "Example:\n"
      "  nucdet report found --out found/report.html\n"
      "One HTML file that needs no network: a row an image, with a small picture of what --density or --overlay "
      "drew.\n" +
      std::string(kExitCodes));
  c.add_option("runs", o.runs, "Reports of detect --report, or folders with *.jsonl")->required();
  c.add_option("-o,--out", o.out, "HTML file to write")->required();
  c.add_option("--title", o.title, "Heading of the page");
  c.add_option("--thumbnail", o.thumbnail, "Longer side of the small pictures, pixels; 0: none")
      ->capture_default_str()
      ->check(whole(0, 1024));
  return c;
}

}  // namespace nucdet::program

#include "options.hpp"
#include "validators.hpp"

/// The command line of the paper's experiments.
namespace nucdet::program {

CLI::App& add_study(CLI::App& app, StudyOptions& o) {
  CLI::App& c = *app.add_subcommand("study", "Repeat an experiment of the paper");
  c.footer(
      "Examples:\n"
      "  nucdet study baseline --data nuinsseg-human23 --out studies --budget cpu --organs kidney,liver,tonsil\n"
      "  nucdet study equal --data nuinsseg-human23 --data monuseg-tiles --out studies --budget overnight --plan\n"
      "  nucdet study cross --data nuinsseg-human23 --data monuseg-tiles --out studies --budget cpu\n"
      "  nucdet study finetune --data nuinsseg-human23 --out studies --budget cpu --targets kidney --seeds 3\n"
      "  nucdet study gamma --data nuinsseg-human23 --out studies --budget overnight --shard 2/8\n"
      "Writes OUT/NAME/report.md with its CSV and SVG files. Models and test results are kept in OUT/models and "
      "OUT/tests:\n"
      "a study that was stopped goes on where it stood, and studies share what they need from each other.\n" +
      std::string(kExitCodes));
  const std::vector<std::string> names{"baseline", "equal", "cross", "finetune", "mix", "gamma", "lambda"};
  c.add_option("name", o.name, "baseline, equal, cross, finetune, mix, gamma or lambda")
      ->required()
      ->check(CLI::IsMember(names));
  c.add_option("--data", o.data, "Manifests, or folders with one; finetune, mix, gamma, lambda use the first alone")
      ->required();
  c.add_option("-o,--out", o.out, "Folder of all studies")->required();
  c.add_option(
       "--budget", o.budget,
       "full: the paper's size; overnight: what a small machine answers in nights; cpu: the smallest that shows "
       "the effect")
      ->capture_default_str()
      ->check(CLI::IsMember({"full", "overnight", "cpu"}));
  c.add_option("--organs", o.organs, "Organs to use (equal: of the first data set); default: all")->delimiter(',');
  c.add_option("--targets", o.targets,
               "Target organs of finetune, mix, gamma, lambda; default: three, drawn; overnight: all")
      ->delimiter(',');
  c.add_option("--networks", o.networks, "Networks of baseline and equal; default: all")->delimiter(',');
  c.add_option("--net,--network", o.network.name, "Network of the others")
      ->capture_default_str()
      ->check(CLI::IsMember(models::network_names()));
  c.add_option("--base", o.network.base, "Filters of its first block; default: the budget's")->check(whole(0, 1024));
  c.add_option("--gammas", o.gammas, "Instead of the budget's")->delimiter(',')->check(at_least_0());
  c.add_option("--lambdas", o.lambdas, "Instead of the budget's")->delimiter(',')->check(at_least_0());
  c.add_option("--iterations", o.iterations, "Instead of the budget's")->check(whole(1, 1000000000));
  c.add_option("--seeds", o.seeds,
               "Repetitions; default: 1, in an overnight baseline 2 of MicroNet and its two closest rivals")
      ->check(whole(1, 1000));
  c.add_option("--seed", o.seed, "The first seed")->capture_default_str()->check(any_seed());
  const std::string group = "Many machines";
  c.add_option(
       "--shard", o.shard,
       "I/N: only the I-th of N parts of the trainings, without a report; default: the task's in a job array of "
       "Slurm, else 1/1, all of them")
      ->group(group);
  c.add_flag("--plan", o.plan, "Say what is there and what is to be trained, with hours, and do nothing")->group(group);
  c.add_flag("--report-only", o.report_only, "Report of what is there; an error if a training is missing")
      ->group(group);
  add_device(c, o.device), add_quiet(c, o.quiet);
  return c;
}

}  // namespace nucdet::program

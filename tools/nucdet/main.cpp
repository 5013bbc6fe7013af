#include <iostream>
#include <new>

#include "nucdet/core/error.hpp"
#include "nucdet/core/watch.hpp"
#include "nucdet/version.hpp"

#include "options.hpp"

namespace {

using namespace nucdet::program;

/// Runs a command; exceptions become exit codes and one message.
template <class Command>
int guarded(const Command& command) {
  try {
    return command();
  } catch (const nucdet::ArgumentError& error) {
    std::cerr << "nucdet: " << error.what() << '\n';
    return 2;
  } catch (const nucdet::IoError& error) {
    std::cerr << "nucdet: " << error.what() << '\n';
    return 4;
  } catch (const nucdet::Stopped& stopped) {
    std::cerr << "nucdet: " << stopped.what() << '\n';
    return 130;  // as shells say of SIGINT
  } catch (const std::bad_alloc&) {
    std::cerr << "nucdet: out of memory (smaller tiles, crops or batches need less)\n";
    return 5;
  } catch (const std::exception& error) {
    std::cerr << "nucdet: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("nucdet: detects nuclei in H&E images by regressing a proximity map (Xing et al. 2019)");
  app.require_subcommand(1);
  app.set_version_flag("--version", "nucdet " NUCDET_VERSION_STRING);
  app.set_config("--config", "", "Read options from a TOML or INI file");
  app.footer(kExitCodes);
  TrainOptions train_options;
  DetectOptions detect_options;
  EvaluateOptions evaluate_options;
  OverlayOptions overlay_options;
  AugmentSheetOptions augment_options;
  ConvertOptions convert_options;
  ManifestOptions manifest_options;
  SynthOptions synth_options;
  SummaryOptions summary_options;
  BenchOptions bench_options;
  StudyOptions study_options;
  const CLI::App &train_app = add_train(app, train_options), &detect_app = add_detect(app, detect_options);
  const CLI::App &evaluate_app = add_evaluate(app, evaluate_options), &overlay_app = add_overlay(app, overlay_options);
  const CLI::App &augment_app = add_augment(app, augment_options), &synth_app = add_synth(app, synth_options);
  const CLI::App& summary_app = add_summary(app, summary_options);
  const CLI::App &convert_app = add_convert(app, convert_options), &manifest_app = add_manifest(app, manifest_options);
  const CLI::App &bench_app = add_bench(app, bench_options), &study_app = add_study(app, study_options);
  const CLI::App& doctor_app = *app.add_subcommand("doctor", "Say what there is to compute on, and why not on a GPU");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : 2; }
  return guarded([&] {
    if (train_app.parsed()) return train(train_options);
    if (detect_app.parsed()) return detect(detect_options);
    if (evaluate_app.parsed()) return evaluate(evaluate_options);
    if (overlay_app.parsed()) return overlay(overlay_options);
    if (augment_app.parsed()) return augment(augment_options);
    if (synth_app.parsed()) return synth(synth_options);
    if (convert_app.parsed()) return convert(convert_options);
    if (manifest_app.parsed()) return manifest(manifest_options);
    if (bench_app.parsed()) return bench(bench_options);
    if (study_app.parsed()) return run_study(study_options);
    if (doctor_app.parsed()) return doctor();
    return summary_app.parsed() ? summary(summary_options) : 2;
  });
}

#pragma once
#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "slide_tissue.hpp"

/// The command line: each function declares a subcommand, with its help, and what it fills in.
namespace nucdet::program {

inline constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failure; 2 wrong usage or settings; 3 some inputs failed; 4 a file or the output cannot be\n"
    "read or written, or is not valid; 5 out of memory; 6 stopped after the current image (detect: SIGTERM, SIGUSR1);\n"
    "130 stopped on request (Ctrl-C; train: SIGTERM too). An output pipe that is closed early ends the program as a\n"
    "shell expects (141): files are whole or not there.\n";

CLI::App& add_train(CLI::App& app, TrainOptions& options);
CLI::App& add_detect(CLI::App& app, DetectOptions& options);
CLI::App& add_evaluate(CLI::App& app, EvaluateOptions& options);
CLI::App& add_overlay(CLI::App& app, OverlayOptions& options);
CLI::App& add_augment(CLI::App& app, AugmentSheetOptions& options);
CLI::App& add_convert(CLI::App& app, ConvertOptions& options);
CLI::App& add_manifest(CLI::App& app, ManifestOptions& options);
CLI::App& add_synth(CLI::App& app, SynthOptions& options);
CLI::App& add_summary(CLI::App& app, SummaryOptions& options);
CLI::App& add_export(CLI::App& app, ExportOptions& options);
CLI::App& add_bench(CLI::App& app, BenchOptions& options);
CLI::App& add_study(CLI::App& app, StudyOptions& options);
/// The command that has those of slides below it.
CLI::App& add_slide(CLI::App& app);
CLI::App& add_slide_info(CLI::App& slide, SlideInfoOptions& options);
CLI::App& add_slide_thumbnail(CLI::App& slide, SlideThumbnailOptions& options);
CLI::App& add_slide_tissue(CLI::App& slide, SlideTissueOptions& options);
CLI::App& add_doctor(CLI::App& app, DoctorOptions& options);
CLI::App& add_merge(CLI::App& app, MergeOptions& options);
CLI::App& add_run_page(CLI::App& app, RunPageOptions& options);

// Options that several subcommands have.
void add_network(CLI::App& app, models::NetworkChoice& network);
void add_maps(CLI::App& app, models::NetworkChoice& network);
void add_device(CLI::App& app, DeviceOptions& options);
void add_threads(CLI::App& app, int& threads);
void add_quiet(CLI::App& app, bool& quiet);
void add_pixel_size(CLI::App& app, models::AskedPixelSize& pixel_size);
void add_lists(CLI::App& app, bool& recursive);
void add_areas(CLI::App& app, std::string& areas, const std::string& group);
void add_origin(CLI::App& app, std::string& origin, const std::string& group);
void add_tissue(CLI::App& app, std::string& tissue, const std::string& group);
/// What `detect` leaves, and where it looks.
void add_results(CLI::App& app, DetectOptions& options);
void add_parts(CLI::App& app, DetectOptions& options);
/// What `detect` does about many images.
void add_cohort(CLI::App& app, DetectOptions& options);
void add_json(CLI::App& app, bool& json);

}  // namespace nucdet::program

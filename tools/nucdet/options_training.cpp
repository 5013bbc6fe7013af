#include "options.hpp"
#include "validators.hpp"

/// The command line of training, and of looking at what it does to images.
namespace nucdet::program {

namespace {

void add_augmentation(CLI::App& c, data::StandardAugmentation& a) {
  const auto add = [&](const char* name, auto& value, const char* what) {
    return c.add_option(name, value, what)->capture_default_str()->group("Augmentation");
  };
  const auto add_number = [&](const char* name, double& value, const char* what) {
    add(name, value, what)->check(at_least_0());
  };
  add_number("--rotation", a.geometry.rotation, "Degrees, in +- this");
  add("--mirror", a.geometry.mirror, "Mirror half of the crops");
  add_number("--elastic", a.geometry.elastic, "Elastic displacement, pixels");
  add_number("--scale-jitter", a.geometry.scale, "Factors up to 1 + this");
  add_number("--stain", a.step<data::Stain>().most, "Strength of changes of haematoxylin and eosin");
  add_number("--tone", a.step<data::Tone>().most, "Brightness, contrast, gamma: factors up to 1 + this");
  add_number("--blur", a.step<data::Blur>().most, "Largest sigma, pixels");
  add_number("--sharpen", a.step<data::Sharpen>().most, "Largest amount of an unsharp mask");
  add_number("--noise", a.step<data::Noise>().most, "Largest deviation, of values in [0, 1]");
  add("--resolution", a.step<data::Resolution>().most, "Most pixels that become one, along an axis; 1: off")
      ->check(whole(1, 8));
  add("--jpeg", a.step<data::Jpeg>().worst, "Worst quality; 100: off")->check(whole(1, 100));
  add_number("--glass", a.step<data::Glass>().chance, "Chance of empty glass in a crop");
  add_number("--margins", a.step<data::Margin>().chance, "Chance of a white, black or grey margin");
  add_number("--pen", a.step<data::Pen>().chance, "Chance of a marker's stroke");
  add_number("--dust", a.step<data::Dust>().chance, "Chance of specks");
}

}  // namespace

CLI::App& add_train(CLI::App& app, TrainOptions& o) {
  CLI::App& c = *app.add_subcommand("train", "Train a network from images and nucleus centres");
  c.footer(
      "Examples:\n"
      "  nucdet train data/manifest.csv --out runs/first\n"
      "  nucdet train data/manifest.csv --out runs/first --resume\n"
      "  nucdet train data/a data/b --weights 2,1 --out runs/both\n"
      "  nucdet train mine --out runs/mine --preset finetune\n"
      "  nucdet train data/manifest.csv --out runs/paper --preset paper --net micronet\n"
      "Writes best.safetensors (weights), last.safetensors (checkpoint), log.csv, loss.svg and f1.svg.\n" +
      std::string(kExitCodes));
  // First, so that whatever else is given is set after it.
  c.add_option_function<std::string>(
       "--preset", [&o](const std::string& name) { apply_preset(o, name); },
       "laptop (default): about half an hour on two cores; finetune: a few images of your own, from weights that come "
       "along or --initial; paper: the paper's protocol")
      ->check(CLI::IsMember({"laptop", "finetune", "paper"}));
  c.add_option("manifests", o.manifests, "Manifests, or folders with images and points; several are mixed")->required();
  c.add_option("--weights", o.weights, "How often each manifest is drawn: w1,w2,...; default: alike")
      ->delimiter(',')
      ->check(at_least_0());
  c.add_option("-o,--out", o.out, "Folder of the run")->required();
  c.add_flag("--resume", o.resume, "Go on from the folder's last checkpoint, if there is one");
  c.add_option("--split", o.train_split, "Split to train on")->capture_default_str();
  c.add_option("--validation-split", o.validation_split, "Split to validate with")->capture_default_str();
  c.add_option("--auxiliary", o.auxiliary, "A second manifest, mixed in: gamma L_target + L_auxiliary");
  c.add_option("--gamma", o.gamma, "Weight of the target set in that mix")->capture_default_str()->check(at_least_0());
  c.add_option("--initial", o.initial, "Weights to start from");
  c.add_option("--freeze", o.freeze, "Blocks that keep their weights (in, down1, ...)");
  c.add_option("--licence", o.licence, "Licence of the training data, kept with the weights");
  c.add_option("--normalization", o.normalization,
               "fixed: constants of the training set; image: each image's own (the paper); tissue: its tissue's; auto: "
               "that of --initial, else fixed")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "fixed", "image", "tissue"}));
  c.add_flag("--relative-threshold", o.relative, "Choose the paper's threshold xi as well");
  c.add_option("--least-nuclei", o.least_nuclei,
               "Annotated nuclei in the validation images for thresholds to be chosen by them, else they are kept")
      ->capture_default_str()
      ->check(whole(0, 1000000000));
  add_network(c, o.network);
  const std::string how = "Training";
  c.add_option("--iterations", o.iterations, "Iterations")
      ->capture_default_str()
      ->check(whole(1, 1000000000))
      ->group(how);
  c.add_option("--validate-every", o.validate_every, "Iterations between validations and checkpoints")
      ->capture_default_str()
      ->check(whole(1, 1000000000))
      ->group(how);
  c.add_option("--snapshot-every", o.snapshot_every, "Keep the weights of these validations; 0: of none")
      ->capture_default_str()
      ->check(whole(0, 1000000000))
      ->group(how);
  c.add_option("--batch", o.batch, "Crops in a batch")->capture_default_str()->check(whole(1, 1024))->group(how);
  c.add_option("--crop", o.crop, "Crop size, reference pixels")
      ->capture_default_str()
      ->check(whole(16, 4096))
      ->group(how);
  c.add_option("--loss", o.loss, "weighted, squared or cross-entropy; auto: as the paper uses the network")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "weighted", "squared", "cross-entropy"}))
      ->group(how);
  c.add_option("--lambda", o.lambda, "Of the weighted loss")->capture_default_str()->check(at_least_0())->group(how);
  c.add_option("--least-mean", o.least_mean,
               "Of the weighted loss: crops without nuclei weigh as if their label's mean were this")
      ->capture_default_str()
      ->check(within(0, 1))
      ->group(how);
  c.add_option("--label", o.label, "proximity, gaussian or disc; auto: as the paper uses the network")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "proximity", "gaussian", "disc"}))
      ->group(how);
  c.add_option("--alpha", o.alpha, "Decay of the proximity map")
      ->capture_default_str()
      ->check(at_least_0())
      ->group(how);
  c.add_option("--radius", o.radius,
               "Radius of the label, reference pixels; default: 15, of gaussian 16 (4 sigma), of disc 8")
      ->check(above_0())
      ->group(how);
  c.add_option("--optimizer", o.optimizer, "sgd, adam or adamw")
      ->capture_default_str()
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}))
      ->group(how);
  c.add_option("--rate", o.rate, "Learning rate")->capture_default_str()->check(within(1e-30, 1e6))->group(how);
  c.add_option("--momentum", o.momentum, "Of sgd (Nesterov's)")->capture_default_str()->check(within(0, 1))->group(how);
  c.add_option("--decay", o.decay, "Weight decay")->capture_default_str()->check(at_least_0())->group(how);
  c.add_option("--clip", o.clip, "Largest norm of the gradient; 0: no limit")
      ->capture_default_str()
      ->check(at_least_0())
      ->group(how);
  c.add_option("--schedule", o.schedule, "plateau, constant or cosine")
      ->capture_default_str()
      ->check(CLI::IsMember({"plateau", "constant", "cosine"}))
      ->group(how);
  c.add_option("--patience", o.patience, "Of the plateau schedule, iterations")
      ->capture_default_str()
      ->check(whole(0, 1000000000))
      ->group(how);
  c.add_option("--warmup", o.warmup, "Of the cosine schedule, iterations")
      ->capture_default_str()
      ->check(whole(0, 1000000000))
      ->group(how);
  c.add_option("--average", o.average, "Decay of the moving average of the weights, which is what is kept; 0: none")
      ->capture_default_str()
      ->check(within(0, 0.999999))
      ->group(how);
  c.add_option("--stop-after", o.stop_after, "Iterations without a better validation; 0: go on to the end")
      ->capture_default_str()
      ->check(whole(0, 1000000000))
      ->group(how);
  c.add_flag("!--no-classes", o.classes, "Learn where nuclei are alone, though the points have classes")->group(how);
  c.add_option("--best", o.best, "What the best weights are best in: f1, loss, or classes (their mean F1)")
      ->capture_default_str()
      ->check(CLI::IsMember({"f1", "loss", "classes"}))
      ->group(how);
  c.add_option("--seed", o.seed, "Seed of everything random")->capture_default_str()->check(any_seed())->group(how);
  add_augmentation(c, o.augment);
  c.add_option("--joint-statistics", o.joint_statistics,
               "Of several ranks (mpirun): batch norm looks at all their images, or with 0 each at its own")
      ->capture_default_str()
      ->group(how);
  c.add_option(
       "--rank-patience", o.rank_patience,
       "Of several ranks: seconds that another may take beyond the longest that any took of late before it counts as "
       "lost; ten times as many at the start")
      ->capture_default_str()
      ->check(whole(1, 86400))
      ->group(how);
  c.add_option("--balanced", o.balanced, "Of a data set, draw the organ first, then the image")
      ->capture_default_str()
      ->group(how);
  add_device(c, o.device), add_quiet(c, o.quiet), add_json(c, o.json);
  return c;
}

CLI::App& add_augment(CLI::App& app, AugmentSheetOptions& o) {
  CLI::App& c = *app.add_subcommand("augment", "Look at how training varies an image: one picture of many draws");
  c.footer(
      "Example:\n  nucdet augment images/kidney_01.png --out sheet.png\n  nucdet augment a.png --points a.csv --out "
      "jpeg.png --stain 0 --tone 0 --jpeg 10\n" +
      std::string(kExitCodes));
  c.add_option("image", o.image, "Image")->required();
  c.add_option("--points", o.points, "Its nuclei; default: NAME.csv (.geojson, ...) beside it or in ../annotations");
  c.add_option("-o,--out", o.out, "PNG to write")->required();
  c.add_option("--draws", o.draws, "Crops")->capture_default_str()->check(whole(1, 1000));
  c.add_option("--columns", o.columns, "Crops in a row")->capture_default_str()->check(whole(1, 100));
  c.add_option("--crop", o.crop, "Crop size, reference pixels")->capture_default_str()->check(whole(16, 1024));
  add_pixel_size(c, o.pixel_size);
  c.add_option("--seed", o.seed, "Seed")->capture_default_str()->check(any_seed());
  add_augmentation(c, o.augment);
  add_json(c, o.json);
  return c;
}

}  // namespace nucdet::program

#include <algorithm>
#include <set>

#include "nucdet/core/printable.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/models/dataset.hpp"
#include "nucdet/models/training.hpp"

#include "training_settings.hpp"

namespace nucdet::models {

namespace {

namespace fs = std::filesystem;
using Entries = std::vector<io::ManifestEntry>;

/// What one manifest gives to train on and to validate with.
struct Parts {
  Entries train, validation;
  bool held_out = false;  ///< the manifest named no images to validate with
  bool alike = false;     ///< nor had it enough for both: the validation images are those to train on
};

/// A sixth of the patients (images where no patient is named), drawn with the seed, at least one; of a single one
/// nothing can be held out.
void hold_out(Parts& parts, std::uint64_t seed) {
  std::set<std::string> distinct;
  for (const io::ManifestEntry& e : parts.train) distinct.insert(e.source());
  if (distinct.size() < 2) {
    parts.validation = parts.train, parts.alike = true;
    return;
  }
  std::vector<std::string> keys(distinct.begin(), distinct.end());
  RandomStream random{seed, 0x5D17};
  shuffle(keys, random);
  const std::set<std::string> held(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>((keys.size() + 5) / 6));
  const auto middle = std::stable_partition(parts.train.begin(), parts.train.end(),
                                            [&](const io::ManifestEntry& e) { return !held.contains(e.source()); });
  parts.validation.assign(middle, parts.train.end());
  parts.train.erase(middle, parts.train.end());
  parts.held_out = true;
}

Parts parts_of(const std::string& manifest, const TrainingConfiguration& o, const TrainingWatch& watch) {
  std::vector<std::string> notes;
  const Entries all = entries_of(manifest, "", {}, &notes);
  for (const std::string& note : notes) watch.note(note);
  const auto of = [&](const std::string& split) {
    Entries chosen;
    const std::string wanted = io::split_name(split);
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen), [&](const auto& e) { return e.split == wanted; });
    return chosen;
  };
  Parts parts{of(o.train_split), of(o.validation_split)};
  // A folder, or a manifest without the column: everything is there to learn from.
  if (parts.train.empty() && parts.validation.empty() && o.train_split == TrainingConfiguration{}.train_split)
    parts.train = of("");
  if (parts.train.empty()) entries_of(manifest, o.train_split);  // says which splits there are
  if (parts.validation.empty() && o.validation_split != TrainingConfiguration{}.validation_split)
    entries_of(manifest, o.validation_split);  // asked for by name and not there
  if (parts.validation.empty()) hold_out(parts, o.seed);
  return parts;
}

/// The classes of the nuclei to train on; none if there is but one, which tells nothing apart. Notes what is not
/// learnt.
ClassNames classes_of(const std::vector<Parts>& all, const TrainingWatch& watch) {
  Entries train, validation;
  for (const Parts& parts : all) {
    train.insert(train.end(), parts.train.begin(), parts.train.end());
    validation.insert(validation.end(), parts.validation.begin(), parts.validation.end());
  }
  const ClassNames names = class_names_of(train);
  if (names.empty()) return names;
  if (names.size() == 1) {
    watch.note("all nuclei to train on that have a class are '" + names[0] + "': there is nothing to tell apart");
    return {};
  }
  std::string others;
  const ClassNames seen = class_names_of(validation);
  for (const std::string& name : seen.all())
    if (names.find(name) == kUnknownClass) others += (others.empty() ? "'" : ", '") + name + "'";
  if (!others.empty())
    watch.note(
        "images to validate with have nuclei of classes that are not trained on, and count for detection only: " +
        others);
  return names;
}

/// Its split to train on; all of a folder or of a manifest without the column.
Entries auxiliary_entries(const TrainingConfiguration& o) {
  Entries all = entries_of(o.auxiliary, "");
  const bool plain = std::all_of(all.begin(), all.end(), [](const auto& e) { return e.split.empty(); });
  return plain && o.train_split == TrainingConfiguration{}.train_split ? all : entries_of(o.auxiliary, o.train_split);
}

void check_nuclei(const data::Dataset& set, const std::string& manifest, const char* use) {
  if (nuclei_in(set) == 0) throw IoError(message(manifest, ": no nuclei in the ", set.size(), " images to ", use));
}

/// What a user should know of the images to validate with.
void tell_validation(const Parts& parts, const data::Dataset& validation, const std::string& manifest,
                     const TrainingWatch& watch) {
  if (parts.held_out)
    watch.note(message(manifest, ": no validation images (column 'split'): ", parts.validation.size(), " of ",
                       parts.validation.size() + parts.train.size(), " images are held out to validate with"));
  if (parts.alike)
    watch.note(message(manifest,
                       ": no validation images (column 'split'), and too few to hold some out: validation is on ",
                       "the images to train on, so its F1 says nothing of new images"));
  if (nuclei_in(validation) == 0)
    watch.note(message(manifest, ": no nuclei in the ", validation.size(), " validation images: thresholds cannot be ",
                       "chosen by them"));
}

/// Says where labels do not count everywhere.
void note_areas(const data::Dataset& set, const std::string& manifest, const char* use, const TrainingWatch& watch) {
  std::size_t images = 0, nuclei = 0;
  for (const data::Sample& s : set) images += s.areas.everywhere() ? 0 : 1, nuclei += s.uncounted.points.size();
  if (images > 0)
    watch.note(message(manifest, ": of the ", set.size(), " images to ", use, ' ', images,
                       " have areas outside of which labels do not count; annotated nuclei there: ", nuclei));
}

/// Set names: folders, told apart by number where two are called alike.
std::string set_name(const std::string& manifest, const std::map<std::string, double>& taken) {
  const fs::path path = fs::absolute(manifest).lexically_normal();
  const bool file = path.extension() == ".csv";
  std::string folder = (file ? path.parent_path() : path).filename().string();
  if (folder.empty()) folder = path.parent_path().filename().string();
  folder = printable(folder);  // weights tell it, in UTF-8
  std::string name = folder;
  for (int k = 2; taken.contains(name); ++k) name = message(folder, ' ', k);
  return name;
}

/// The same for a folder and the manifest in it, however they are written.
fs::path manifest_file(const std::string& manifest) {
  std::error_code none;
  const fs::path inside = fs::path(manifest) / "manifest.csv";
  return fs::weakly_canonical(fs::exists(inside, none) ? inside : fs::path(manifest), none);
}

void check_manifests(const TrainingConfiguration& o) {
  if (o.manifests.empty()) throw ArgumentError("train: no manifest to train on");
  if (!o.weights.empty() && o.weights.size() != o.manifests.size())
    throw ArgumentError(message("train: ", o.weights.size(), " weights for ", o.manifests.size(), " manifests"));
  for (const double weight : o.weights)
    if (!(weight > 0 && weight <= 1e6))
      throw ArgumentError(message("train: a weight of ", weight, ", wanted above 0; leave that manifest out instead"));
  std::set<fs::path> seen;
  for (const std::string& manifest : o.manifests)
    if (!seen.insert(manifest_file(manifest)).second)
      throw ArgumentError(message("train: ", manifest, " is given twice; --weights says how often a set is drawn"));
}

void append(data::Dataset& all, data::Dataset part, const std::string& set) {
  for (data::Sample& s : part) {
    s.set = set;
    all.push_back(std::move(s));
  }
}

}  // namespace

void check_data(const TrainingConfiguration& o, const TrainingData& data) {
  if (data.target.empty()) throw ArgumentError("train: no images to train on");
  if (data.validation.empty()) throw ArgumentError("train: no images to validate with");
  if (data.classes.size() == 1) throw ArgumentError("train: one class, wanted none, or 2 to 8");
  bool known = false;
  for (const data::Dataset* set : {&data.target, &data.validation, &data.auxiliary})
    for (const data::Sample& s : *set) {
      nucdet::check_classes(s.name, s.points.size(), s.classes);
      for (const int c : s.classes) {
        if (c != kUnknownClass && c >= data.classes.size())
          throw ArgumentError(message("train: ", s.name, " has the class ", c, " of ", data.classes.size(), " named"));
        known = known || (set == &data.validation && c != kUnknownClass);
      }
    }
  if (o.best == "classes" && !known)
    throw ArgumentError("train: the best in classes is wanted, and no nucleus to validate with has one of the classes");
}

TrainingData load_training_data(Context<Cpu>& context, const TrainingConfiguration& o, const TrainingWatch& watch) {
  check_manifests(o);
  TrainingData data;
  ReadingNotes notes;
  const Watch images = watch.images();
  std::vector<Parts> all;
  for (const std::string& manifest : o.manifests) all.push_back(parts_of(manifest, o, watch));
  if (o.classes) data.classes = classes_of(all, watch);
  for (std::size_t i = 0; i < o.manifests.size(); ++i) {
    const std::string& manifest = o.manifests[i];
    const Parts& parts = all[i];
    const std::string set = set_name(manifest, data.weights);
    data.weights[set] = o.weights.empty() ? 1.0 : o.weights[i];
    data.name += message(data.name.empty() ? "" : "; ", set, ", ", parts.train.size(), " images");
    data::Dataset train = load_dataset(context, parts.train, data.classes, &notes, images),
                  validation = load_dataset(context, parts.validation, data.classes, &notes, images);
    check_nuclei(train, manifest, "train on");
    tell_validation(parts, validation, manifest, watch);
    note_areas(train, manifest, "train on", watch), note_areas(validation, manifest, "validate with", watch);
    append(data.target, std::move(train), set), append(data.validation, std::move(validation), set);
  }
  if (!o.auxiliary.empty()) {
    data.auxiliary = load_dataset(context, auxiliary_entries(o), {}, &notes, images);
    check_nuclei(data.auxiliary, o.auxiliary, "mix in"), note_areas(data.auxiliary, o.auxiliary, "mix in", watch);
  }
  for (const std::string& line : notes.lines()) watch.note(line);
  return data;
}

}  // namespace nucdet::models

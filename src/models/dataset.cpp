#include "nucdet/models/dataset.hpp"

#include <atomic>
#include <exception>
#include <set>

#include "nucdet/io/annotations.hpp"
#include "nucdet/io/image.hpp"

namespace nucdet::models {

std::vector<io::ManifestEntry> entries_of(const std::filesystem::path& manifest, const std::string& split,
                                          std::vector<std::string>* notes) {
  std::vector<io::ManifestEntry> entries = io::read_manifest(manifest, notes);
  const std::string wanted = io::split_name(split);
  std::set<std::string> splits;
  for (const io::ManifestEntry& e : entries) splits.insert(e.split);
  if (!wanted.empty()) std::erase_if(entries, [&](const io::ManifestEntry& e) { return e.split != wanted; });
  if (!entries.empty()) return entries;
  if (splits.empty()) throw IoError(message(manifest.string(), ": is empty: it names no images"));
  if (splits == std::set<std::string>{""})
    throw IoError(message(manifest.string(), ": no images of split '", split, "': no image has a split (a manifest's ",
                          "column 'split'); an empty one (--split '') takes all"));
  std::string there;
  for (const std::string& s : splits) there += (there.empty() ? "'" : ", '") + s + "'";
  throw IoError(message(manifest.string(), ": no images of split '", split, "', only of ", there));
}

ClassNames class_names_of(const std::vector<io::ManifestEntry>& entries) {
  std::vector<std::filesystem::path> files;
  for (const io::ManifestEntry& e : entries) files.push_back(e.annotations);
  return io::read_class_names(files);
}

data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry, const ClassNames& names) {
  const Image image = io::read_image(entry.image);
  AnnotatedPoints nuclei;
  if (!entry.annotations.empty()) nuclei = io::numbered(io::read_annotations(entry.annotations), names);
  try {
    return data::make_sample(context, image, nuclei.points, entry.stated_scale(), entry.image.string(), entry.organ, {},
                             std::move(nuclei.classes));
  } catch (const ArgumentError& error) { throw IoError(error.what()); }  // here the files are wrong, not the call
}

data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries,
                           const ClassNames& names) {
  const Index count = static_cast<Index>(entries.size());
  data::Dataset dataset(entries.size());
  std::vector<std::exception_ptr> errors(entries.size());
  std::atomic<Index> first_error = count;
  context.run(count, [&](Index i, int) {
    if (i > first_error) return;
    const auto at = static_cast<std::size_t>(i);
    try {
      if (entries[at].annotations.empty())
        throw IoError(
            message(entries[at].image.string(), ": no annotations, wanted nucleus centres as CSV or GeoJSON"));
      dataset[at] = load_sample(context, entries[at], names);
    } catch (...) {
      errors[at] = std::current_exception();
      for (Index known = first_error; i < known && !first_error.compare_exchange_weak(known, i);) {}
    }
  });
  if (first_error < count) std::rethrow_exception(errors[static_cast<std::size_t>(first_error)]);
  return dataset;
}

std::size_t nuclei_in(const data::Dataset& set) {
  std::size_t sum = 0;
  for (const data::Sample& s : set) sum += s.points.size();
  return sum;
}

}  // namespace nucdet::models

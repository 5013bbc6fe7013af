#include "nucdet/models/dataset.hpp"

#include <atomic>
#include <cmath>
#include <exception>
#include <set>
#include <thread>

#include "nucdet/io/annotations.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/picture.hpp"

namespace nucdet::models {

std::vector<io::ManifestEntry> entries_of(const std::filesystem::path& manifest, const std::string& split,
                                          const io::FolderOptions& folders, std::vector<std::string>* notes) {
  return in_split(io::read_manifest(manifest, notes, folders), split, manifest);
}

std::vector<io::ManifestEntry> in_split(std::vector<io::ManifestEntry> entries, const std::string& split,
                                        const std::filesystem::path& manifest) {
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

void check_size(const io::ManifestEntry& entry, const io::Picture& picture) {
  if ((entry.width > 0 && entry.width != picture.width) || (entry.height > 0 && entry.height != picture.height))
    throw IoError(message(picture.where, ": is ", picture.width, 'x', picture.height, " pixels, the manifest says ",
                          entry.width, 'x', entry.height, ": another image, or an old manifest"));
}

AnnotatedPicture read_annotated(const io::ManifestEntry& entry, const AskedPixelSize& asked) {
  return annotated(entry, io::read_picture(entry.image), asked);
}

AnnotatedPicture annotated(const io::ManifestEntry& entry, io::Picture of, const AskedPixelSize& asked) {
  AnnotatedPicture read{std::move(of), {}, {}};
  const io::Picture& picture = read.picture;
  check_size(entry, picture);
  read.scaling = scaling_of(asked, entry, picture);
  if (entry.annotations.empty()) return read;
  read.nuclei = io::read_annotations(
      entry.annotations, {.um_per_pixel = read.scaling.pixel_size.um(), .image = entry.image.filename().string()});
  const std::string where = entry.annotations.string();
  if (read.nuclei.detections)
    throw IoError(message(where,
                          ": holds detections of nucdet, which are no annotations (`nucdet convert` makes "
                          "points of them that are)"));
  if (read.nuclei.width > 0 && (read.nuclei.width != picture.width || read.nuclei.height != picture.height))
    throw IoError(message(where, ": a mask of ", read.nuclei.width, 'x', read.nuclei.height, " pixels for an image of ",
                          picture.width, 'x', picture.height));
  const Index count = static_cast<Index>(read.nuclei.points.size());
  // A manifest may have counted duplicates, which are dropped.
  const Index with_duplicates = count + static_cast<Index>(read.nuclei.duplicates);
  if (entry.nuclei >= 0 && entry.nuclei != count && entry.nuclei != with_duplicates)
    throw IoError(message(where, ": holds ", count, " nuclei, the manifest says ", entry.nuclei,
                          ": other annotations, or an old manifest"));
  return read;
}

data::Sample sample_of(Context<Cpu>& context, const io::ManifestEntry& entry, AnnotatedPicture read,
                       const ClassNames& names) {
  const Areas areas = std::move(read.nuclei.areas);
  AnnotatedPoints nuclei = io::numbered(std::move(read.nuclei), names);
  const Image image = io::to_image(read.picture);
  try {
    return data::make_sample(context, image, nuclei.points, read.scaling.scale, entry.image.string(), entry.organ, {},
                             std::move(nuclei.classes), areas);
  } catch (const ArgumentError& error) { throw IoError(error.what()); }  // here the files are wrong, not the call
}

data::Sample load_sample(Context<Cpu>& context, const io::ManifestEntry& entry, const ClassNames& names) {
  return sample_of(context, entry, read_annotated(entry), names);
}

void ReadingNotes::add(const AnnotatedPicture& read) {
  sizes_.add(read.scaling);
  for (const std::vector<std::string>* notes : {&read.picture.notes, &read.nuclei.notes})
    for (const std::string& note : *notes) {
      if (first_.size() < kMost)
        first_.push_back(message(read.picture.where, ": ", note));
      else
        ++more_;
    }
}

std::vector<std::string> ReadingNotes::lines() const {
  std::vector<std::string> lines{sizes_.all()};
  lines.insert(lines.end(), first_.begin(), first_.end());
  if (more_ > 0) lines.push_back(message("and ", more_, " more notes on files"));
  return lines;
}

data::Dataset load_dataset(Context<Cpu>& context, const std::vector<io::ManifestEntry>& entries,
                           const ClassNames& names, ReadingNotes* notes, const Watch& watch) {
  const Index count = static_cast<Index>(entries.size());
  data::Dataset dataset(entries.size());
  std::vector<std::exception_ptr> errors(entries.size());
  std::vector<AnnotatedPicture> read_of(entries.size());  // without pixels and nuclei: for notes
  std::atomic<Index> first_error = count, done = 0;
  const std::thread::id caller = std::this_thread::get_id();
  context.run(count, [&](Index i, int) {
    if (i > first_error) return;
    const auto at = static_cast<std::size_t>(i);
    try {
      if (std::this_thread::get_id() == caller) watch.step("load_dataset", done, count);
      if (entries[at].annotations.empty())
        throw IoError(
            message(entries[at].image.string(), ": no annotations, wanted nucleus centres (docs/formats.md)"));
      AnnotatedPicture read = read_annotated(entries[at]);
      read_of[at].scaling = read.scaling, read_of[at].picture.where = read.picture.where;
      read_of[at].picture.notes = read.picture.notes, read_of[at].nuclei.notes = read.nuclei.notes;
      dataset[at] = sample_of(context, entries[at], std::move(read), names);
      ++done;
    } catch (...) {
      errors[at] = std::current_exception();
      for (Index known = first_error; i < known && !first_error.compare_exchange_weak(known, i);) {}
    }
  });
  if (first_error < count) std::rethrow_exception(errors[static_cast<std::size_t>(first_error)]);
  if (notes != nullptr)
    for (const AnnotatedPicture& read : read_of) notes->add(read);
  return dataset;
}

std::size_t nuclei_in(const data::Dataset& set) {
  std::size_t sum = 0;
  for (const data::Sample& s : set) sum += s.points.size();
  return sum;
}

}  // namespace nucdet::models

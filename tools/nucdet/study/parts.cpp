#include "parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/models/dataset.hpp"

namespace nucdet::program::studies {

namespace {

/// Lengths stand before what is as long, so that nothing moves from one image, or one field, into the next unseen. The
/// group is one that balanced sampling draws by.
std::uint64_t hash_of(const data::Sample& s) {
  ContentHash hash;
  const auto length = [&](std::size_t n) { hash.add(static_cast<std::uint64_t>(n)); };
  const Shape shape = view_of(s.image).shape;
  for (const Index side : {shape.h, shape.w, shape.c}) length(static_cast<std::size_t>(side));
  hash.add(s.image.data(), s.image.size() * sizeof(float));
  length(s.points.size());
  for (const Point& p : s.points) hash.add(p.x), hash.add(p.y);
  for (const std::string& text : {s.group, s.set}) length(text.size()), hash.add(text);
  s.areas.add_to(hash);
  return hash.value();
}

std::uint64_t hash_of(const data::Dataset& samples) {
  ContentHash hash;
  for (const data::Sample& s : samples) hash.add(hash_of(s));
  return hash.value();
}

/// The sample's columns left of `width`, as an image of its own; its normalisation stays that of the whole image.
data::Sample strip(const data::Sample& sample, Index width) {
  const View<const float> from = view_of(sample.image);
  data::Sample cut{make_image(from.shape.h, width, from.shape.c, 0.0f),
                   {},
                   sample.statistics,
                   sample.name,
                   sample.group,
                   sample.scale};
  const View<float> to = view_of(cut.image);
  for (Index y = 0; y < to.shape.h; ++y) std::copy_n(from.pixel(0, y, 0), width * to.shape.c, to.pixel(0, y, 0));
  for (const Point& p : sample.points)
    if (p.x < static_cast<double>(width) - 0.5) cut.points.push_back(p);
  cut.areas = sample.areas, cut.counted = data::CountedPixels(cut.areas, to.shape.h, width);
  return cut;
}

}  // namespace

PartPtr make_part(std::string text, data::Dataset samples) {
  const std::uint64_t hash = hash_of(samples);
  return std::make_shared<const Part>(Part{std::move(text), hash, std::move(samples)});
}

PartPtr joined(std::string text, const std::vector<PartPtr>& parts) {
  data::Dataset samples;
  for (const PartPtr& part : parts) samples.insert(samples.end(), part->samples.begin(), part->samples.end());
  return make_part(std::move(text), std::move(samples));
}

std::string collection_name(const std::string& manifest) {
  const std::filesystem::path path = std::filesystem::absolute(manifest).lexically_normal();
  const std::filesystem::path folder = path.extension() == ".csv" || !path.has_filename() ? path.parent_path() : path;
  return folder.filename().string();
}

Collection::Collection(Context<Cpu>& context, const std::string& manifest, const std::vector<std::string>& organs) {
  name_ = collection_name(manifest);
  std::map<std::string, std::map<std::string, std::vector<io::ManifestEntry>>> found;
  for (const io::ManifestEntry& e : models::entries_of(manifest, "")) found[e.organ][e.split].push_back(e);
  for (const std::string& wanted : organs)
    if (!found.contains(wanted)) throw IoError(message(manifest, ": no images of the organ '", wanted, "'"));
  for (auto& one : found) {
    const std::string& organ = one.first;
    auto& splits = one.second;
    if (!organs.empty() && std::find(organs.begin(), organs.end(), organ) == organs.end()) continue;
    auto &train = splits["train"], &validation = splits["val"];
    if (validation.empty() && train.size() > 1) validation.push_back(train.back()), train.pop_back();
    if (train.empty() || validation.empty() || splits["test"].empty())
      throw IoError(message(manifest, ": of '", organ, "' there are ", train.size(), " images to train on, ",
                            validation.size(), " to validate with and ", splits["test"].size(),
                            " to test on, wanted at least one of each"));
    const auto part = [&](const char* split) {
      return make_part(message(name_, ' ', organ, ' ', split), models::load_dataset(context, splits[split]));
    };
    organs_.push_back({organ, name_, part("train"), part("val"), TestPart(part("test"))});
  }
}

const Organ& Collection::organ(const std::string& name) const {
  std::string there;
  for (const Organ& o : organs_) {
    if (o.name == name) return o;
    there += (there.empty() ? "" : ", ") + o.name;
  }
  throw ArgumentError(message("study: no organ '", name, "', there are ", there));
}

std::uint64_t Collection::hash() const {
  ContentHash hash;
  for (const Organ& o : organs_) hash.add(o.train->hash), hash.add(o.validation->hash), hash.add(o.test.judged().hash);
  return hash.value();
}

PartPtr share_of(const PartPtr& part, double share) {
  if (!(share > 0 && share <= 1)) throw ArgumentError(message("study: a share of ", share, ", wanted (0, 1]"));
  const double images = share * static_cast<double>(part->samples.size());
  const std::size_t whole = static_cast<std::size_t>(images + 1e-9);
  data::Dataset kept(part->samples.begin(), part->samples.begin() + static_cast<std::ptrdiff_t>(whole));
  if (const double rest = images - static_cast<double>(whole); rest > 1e-6) {
    const data::Sample& next = part->samples[whole];
    const Index width = view_of(next.image).shape.w;
    kept.push_back(strip(next, std::max<Index>(32, std::lround(rest * static_cast<double>(width)))));
  }
  return make_part(message(part->text, ", ", 100 * share, " %"), std::move(kept));
}

PartPtr auxiliary_of(const Collection& collection, const std::string& target, double share, std::uint64_t seed) {
  std::vector<const data::Sample*> others;
  for (const Organ& o : collection.organs())
    if (o.name != target)
      for (const data::Sample& s : o.train->samples) others.push_back(&s);
  RandomStream random{seed};
  shuffle(others, random);
  const double wanted = share * static_cast<double>(others.size());
  others.resize(share > 0 ? static_cast<std::size_t>(std::max(1.0, std::round(wanted))) : 0);
  data::Dataset samples;
  for (const data::Sample* s : others) samples.push_back(*s);
  return make_part(message(collection.name(), " all but ", target, ", ", 100 * share, " %"), std::move(samples));
}

}  // namespace nucdet::program::studies

#include <algorithm>
#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/data/sampler.hpp"
#include "nucdet/io/csv.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/io/overlay.hpp"
#include "nucdet/models/dataset.hpp"

#include "commands.hpp"
#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"
#include "threads.hpp"

namespace nucdet::program {

namespace {

/// Not normalised, so that crops can be looked at.
data::Sample sample_of(Context<Cpu>& context, const AugmentSheetOptions& o, const io::ManifestEntry& entry) {
  models::AnnotatedPicture read = models::read_annotated(entry, o.pixel_size);
  models::ReadingNotes notes;
  notes.add(read);
  for (const std::string& line : notes.lines()) note(line);
  data::Sample sample = models::sample_of(context, entry, std::move(read), {});
  std::fill(sample.statistics.mean.begin(), sample.statistics.mean.end(), 0.0f);
  std::fill(sample.statistics.deviation.begin(), sample.statistics.deviation.end(), 1.0f);
  return sample;
}

/// Copies a crop into its place on the sheet.
void paste(const Image& crop, Index top, Index left, Image& sheet) {
  const View<const float> from = view_of(crop);
  const View<float> to = view_of(sheet);
  for (Index y = 0; y < from.shape.h; ++y)
    std::copy_n(from.pixel(0, y, 0), from.shape.w * from.shape.c, to.pixel(0, top + y, left));
}

}  // namespace

int augment(const AugmentSheetOptions& o) {
  constexpr Index kGap = 4;
  const std::filesystem::path out = o.out;
  if (out.extension() != ".png") throw ArgumentError(message("augment: --out is ", o.out, ", wanted a name in .png"));
  io::ManifestEntry entry;
  entry.image = o.image,
  entry.annotations = o.points.empty() ? io::annotations_of(o.image) : std::filesystem::path(o.points);
  OutputGuard guard;
  guard.input(o.image), guard.input(entry.annotations);
  guard.output(out, io::Product::drawing);
  Context<Cpu> context({.threads = choose_threads().count});
  const data::Dataset dataset{sample_of(context, o, entry)};
  data::CropSampler sampler;
  sampler.crop = o.crop, sampler.batch = 1, sampler.seed = o.seed, sampler.margin = 0;
  sampler.augmentation = o.augment;
  const Index columns = std::min(o.columns, o.draws), rows = (o.draws + columns - 1) / columns;
  const Index channels = view_of(dataset[0].image).shape.c;
  Image sheet = make_image(rows * (o.crop + kGap) - kGap, columns * (o.crop + kGap) - kGap, channels, 1.0f);
  for (Index k = 0; k < o.draws; ++k) {
    Image crop = make_image(o.crop, o.crop, channels);
    std::vector<AnnotatedPoints> points;
    sampler.draw(context, dataset, k, view_of(crop), points);
    std::vector<io::OverlayMark> marks;
    for (const Point& p : points[0].points) marks.push_back({p, io::MarkKind::detection, {}});
    paste(io::draw_overlay(crop, marks, {.radius = 4, .width = 1.2, .legend = false}), k / columns * (o.crop + kGap),
          k % columns * (o.crop + kGap), sheet);
  }
  io::write_drawing(o.out, sheet);
  if (o.json)
    print_json({{"out", o.out}, {"draws", o.draws}, {"image", o.image}, {"seed", o.seed}});
  else
    std::cout << printable(o.out) << ": " << o.draws << " draws of " << printable(o.image) << '\n';
  return 0;
}

}  // namespace nucdet::program

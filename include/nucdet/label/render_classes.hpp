#pragma once
#include "nucdet/label/class_disc.hpp"
#include "nucdet/label/render_batch.hpp"

namespace nucdet::label {

namespace detail {

inline constexpr Index kClassRows = 4;  ///< of a band

/// A pixel takes the value of the nearest centre within the radius.
struct GatherClasses {
  float squared_radius;
  View<float> maps;  // every channel gets the same label
  CentreLists lists;
  const float* values;  // of each centre: 1 + class, 0 for an unknown one

  NUCDET_HD void operator()(const exec::Tile& t) const { lists.draw(t, maps, *this); }
  NUCDET_HD float operator()(Index y, Index x, Index from, Index to) const {
    float nearest = kFar, value = 0;
    for (Index i = from; i < to; ++i) {
      float squared = kFar;
      if (!lists.centres[i].sees(y, x, squared) || squared > squared_radius || squared >= nearest) continue;
      nearest = squared, value = values[i];
    }
    return value;
  }
};

}  // namespace detail

/// Renders the class maps of a batch: nuclei[n] are those of image n; maps: {n, h, w, any number of equal maps},
/// overwritten. The same kernel draws on every device. A centre outside the image counts where its disc reaches in.
/// Throws ArgumentError for settings and classes out of range and for a point that is not finite, ShapeError for maps
/// of another number of images.
template <class D>
void render_batch(Context<D>& context, const ClassDisc& label, std::span<const AnnotatedPoints> nuclei,
                  View<float> maps) {
  label.check();
  if (static_cast<Index>(nuclei.size()) != maps.shape.n)
    throw ShapeError(message("label::render_batch: ", nuclei.size(), " lists of points for maps of ", maps.shape));
  if (maps.shape.count() == 0) return;
  detail::CentreTable table;
  std::vector<float> values;
  for (const AnnotatedPoints& of_image : nuclei) {
    detail::check_finite(of_image.points);
    check_classes("label::render_batch", of_image.points.size(), of_image.classes);
    const std::size_t before = table.centres.size();
    table.add_image(of_image.points, label.reach(), {1, maps.shape.h, maps.shape.w, 1}, detail::kClassRows);
    for (std::size_t i = before; i < table.centres.size(); ++i)
      values.push_back(static_cast<float>(1 + of_image.class_of(static_cast<std::size_t>(table.origins[i]))));
  }
  const detail::DeviceCentres<D> centres(context, table);
  const DeviceArray<float, D> classes(context, values.data(), values.size());
  exec::parallel_for(context, maps.shape,
                     detail::GatherClasses{label.radius * label.radius, maps, centres.lists(), classes.data()});
}

}  // namespace nucdet::label

#pragma once
#include <span>
#include <utility>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/label/render.hpp"

namespace nucdet::label {

namespace detail {

/// A centre as a pixel sees it: the box that it reaches, and its place from that box's corner, as `splat` has it.
struct Centre {
  Index x0, x1, y0, y1;  // half-open
  float x, y;

  /// The squared distance of a pixel of the box; false for any other.
  NUCDET_HD bool sees(Index row, Index column, float& squared) const {
    if (column < x0 || column >= x1 || row < y0 || row >= y1) return false;
    const float dx = static_cast<float>(column - x0) - x, dy = static_cast<float>(row - y0) - y;
    squared = dx * dx + dy * dy;
    return true;
  }
};

/// The centres that reach into each band of rows, in the order of the points.
struct CentreLists {
  const Centre* centres;
  const Index* first;  // band b of image n: centres first[n * bands + b] ... first[n * bands + b + 1] - 1
  Index bands, rows;   // of an image; of a band

  /// Writes value(y, x, from, to) to every channel of a tile's pixels, where centres from ... to - 1 reach into their
  /// band.
  template <class Value>
  NUCDET_HD void draw(const exec::Tile& t, const View<float>& maps, const Value& value) const {
    const Index band = t.n * bands + t.y / rows;
    for (Index x = t.x0; x < t.x1; ++x) {
      const float label = value(t.y, x, first[band], first[band + 1]);
      for (Index c = t.c0; c < t.c1; ++c) maps(t.n, t.y, x, c) = label;
    }
  }
};

/// Gathers: a pixel looks at the centres that reach into its band of rows, in their order. The same numbers as `splat`
/// and `finish_row` give, which go from centre to centre instead.
template <class Profile>
struct GatherCentres {
  Profile profile;
  View<float> maps;  // every channel gets the same label
  CentreLists lists;

  NUCDET_HD void operator()(const exec::Tile& t) const { lists.draw(t, maps, *this); }
  NUCDET_HD float operator()(Index y, Index x, Index from, Index to) const {
    constexpr bool nearest = Profile::combine == Combine::nearest;
    float value = nearest ? kFar : 0.0f;
    for (Index i = from; i < to; ++i) {
      float squared = 0;
      if (!lists.centres[i].sees(y, x, squared)) continue;
      if constexpr (nearest)
        value = squared < value ? squared : value;
      else
        value += profile(squared);
    }
    if constexpr (nearest) return profile(value);
    return value;
  }
};

/// The centres of all images, band by band, and where each band begins.
struct CentreTable {
  std::vector<Centre> centres;
  std::vector<Index> origins;  ///< of each centre: which of its image's points it is
  std::vector<Index> first{0};
  Index bands = 0, rows = 1;

  /// rows_of_band: the same for all images. A pixel looks at the centres of its band: few rows are quick to draw.
  void add_image(std::span<const Point> points, double reach, const Shape& image, Index rows_of_band);
};

/// The same in a device's memory.
template <class D>
class DeviceCentres {
 public:
  DeviceCentres(Context<D>& context, const CentreTable& table)
      : centres_(context, table.centres.data(), table.centres.size()),
        first_(context, table.first.data(), table.first.size()),
        bands_(table.bands),
        rows_(table.rows) {}
  CentreLists lists() const { return {centres_.data(), first_.data(), bands_, rows_}; }

 private:
  DeviceArray<Centre, D> centres_;
  DeviceArray<Index, D> first_;
  Index bands_, rows_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE void CentreTable::add_image(std::span<const Point> points, double reach, const Shape& image,
                                          Index rows_of_band) {
  const Bands in = bands_of(points, reach, image, rows_of_band);
  bands = in.count, rows = in.rows;
  for (const Index i : in.points) {
    const Point p = points[static_cast<std::size_t>(i)];
    Reach r{};
    reach_of(p, reach, image, r);
    origins.push_back(i);
    centres.push_back({r.x0, r.x1, r.y0, r.y1, static_cast<float>(p.x - static_cast<double>(r.x0)),
                       static_cast<float>(p.y - static_cast<double>(r.y0))});
  }
  const Index before = first.back();
  for (std::size_t b = 1; b < in.first.size(); ++b) first.push_back(before + in.first[b]);
}

#endif

}  // namespace detail

/// Renders the label maps of a batch: nuclei[n] are those of image n, whose classes play no part; maps: {n, h, w, any
/// number of equal maps}, overwritten. See `render`.
template <LabelProfile Profile>
void render_batch(Context<Cpu>& context, const Profile& profile, std::span<const AnnotatedPoints> nuclei,
                  View<float> maps) {
  if (static_cast<Index>(nuclei.size()) != maps.shape.n)
    throw ShapeError(message("label::render_batch: ", nuclei.size(), " lists of points for maps of ", maps.shape));
  for (Index n = 0; n < maps.shape.n; ++n)
    for (Index c = 0; c < maps.shape.c; ++c)
      render(context, profile, nuclei[static_cast<std::size_t>(n)].points, maps.image(n).channels(c, 1));
}

/// On a GPU: the points go up, every pixel of the batch is drawn by one kernel.
template <LabelProfile Profile, class D>
void render_batch(Context<D>& context, const Profile& profile, std::span<const AnnotatedPoints> nuclei,
                  View<float> maps) {
  profile.check();
  if (static_cast<Index>(nuclei.size()) != maps.shape.n)
    throw ShapeError(message("label::render_batch: ", nuclei.size(), " lists of points for maps of ", maps.shape));
  if (maps.shape.count() == 0) return;
  detail::CentreTable table;
  for (const AnnotatedPoints& of_image : nuclei) {
    detail::check_finite(of_image.points);
    const Shape image{1, maps.shape.h, maps.shape.w, 1};
    table.add_image(of_image.points, static_cast<double>(profile.reach()), image, exec::rows_per_chunk(image));
  }
  const detail::DeviceCentres<D> centres(context, table);
  exec::parallel_for(context, maps.shape, detail::GatherCentres<Profile>{profile, maps, centres.lists()});
}

}  // namespace nucdet::label

#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/image_view.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/orientation.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/detect/tile_pass.hpp"

namespace nucdet::detect {

/// What a network says of a part of a tile: the map in which nuclei are sought, [1, h, w, 1], and the classes' scores
/// before the softmax, [1, h, w, classes], or none.
template <class Device>
struct TileMaps {
  Tensor<Device> map, scores;
};

/// What a network is shown of an image, and the part of it, in the image's pixels too, whose maps are wanted: nothing
/// else is computed but what that part depends on.
struct Look {
  Rectangle read, wanted;

  Look(const Rectangle& all) : Look(all, all) {}
  Look(const Rectangle& shown, const Rectangle& part) : read(shown), wanted(part) {}
  /// The part, as it lies in what is read.
  Rectangle within() const { return {wanted.x - read.x, wanted.y - read.y, wanted.width, wanted.height}; }
  /// The same of an image that holds what is read and nothing else.
  Look alone() const { return {{0, 0, read.width, read.height}, within()}; }
};

/// A network that looks at rectangles of images: normalised, reflected to a multiple of its coarsest stride, seen one
/// way or eight. Thread-safe on the CPU; on a GPU one thread at a time.
template <class Device>
class NetworkOnTiles {
 public:
  using Network = typename TilePass<Device>::Network;

  /// Throws ArgumentError for a network whose head is not known.
  NetworkOnTiles(Context<Device>& context, Network network, Averaging averaging);

  Context<Device>& context() const { return *context_; }
  const Network& network() const { return network_; }
  const Averaging& averaging() const { return averaging_; }

  /// What the network sees of a rectangle: its size brought to a multiple of the coarsest stride.
  Shape padded(const Rectangle& read) const;
  /// The network's outputs for a rectangle of an image on the host, reflected where it reaches beyond it to a multiple
  /// of the stride, however many ways the maps are averaged over. Each [1, h, w, maps]; those of the input's size are
  /// cut to `read`.
  std::vector<Tensor<Device>> outputs(View<const float> image, const data::ChannelStatistics& statistics,
                                      const Rectangle& read) const;
  /// What outputs say.
  TileMaps<Device> maps_of(const std::vector<Tensor<Device>>& outputs) const;

  /// What the network says of a rectangle of an image on the host: the mean over the ways it is looked at.
  TileMaps<Device> maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                        const Look& look) const;
  TileMaps<Device> maps(View<const float> image, const data::ChannelStatistics& statistics, const Look& look) const;
  /// The same of an image in the device's memory, or of bytes on the host, which become floats on the device.
  TileMaps<Device> resident_maps(View<const float> image, const data::ChannelStatistics& statistics,
                                 const Look& look) const {
    return seen(image, statistics, look);
  }
  TileMaps<Device> resident_maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                 const Look& look) const {
    return seen(image, statistics, look);
  }

 private:
  template <class Pixels>
  TileMaps<Device> seen(const Pixels& image, const data::ChannelStatistics& statistics, const Look& look) const;
  std::size_t number_of(const std::string& output) const;
  /// Calls body(image in the device's memory, where `read` lies in it).
  template <class Body>
  auto on_device(View<const float> image, const Rectangle& read, const Body& body) const {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return body(image, read);
    } else {
      const Tensor<Device> tile = to_device(context(), image.window(read.y, read.x, read.height, read.width));
      return body(tile.template view<const float>(), Rectangle{0, 0, read.width, read.height});
    }
  }
  template <class Pixels>
  void prepare(const Pixels& image, const data::ChannelStatistics& statistics, const Rectangle& read,
               Tensor<Device>& tile) const;
  /// What a pass of this shape makes of an image.
  template <class Pixels>
  std::vector<Tensor<Device>> outputs_of(const Pixels& image, const data::ChannelStatistics& statistics,
                                         const Rectangle& read, const TileShape& shape) const;
  /// The shape of the pass that makes the maps of a part.
  TileShape shape_of(const Look& look) const;
  /// The head's maps have a place for every pixel of the image; others may have any size.
  void check_sizes(const std::vector<Tensor<Device>>& outputs, const TileShape& shape) const;
  /// A part of maps that a pass made: of all that it made, unless that is what it was asked for.
  static TileMaps<Device> part_of(TileMaps<Device> maps, const Rectangle& part, const TileShape& shape) {
    if (shape.wanted == part) return maps;
    maps.map = maps.map.window(part);
    if (maps.scores) maps.scores = maps.scores.window(part);
    return maps;
  }

  Context<Device>* context_;
  Network network_;
  Averaging averaging_;
  std::size_t map_ = 0, class_map_ = 0;  ///< numbers of the outputs
  std::shared_ptr<PassPool<Device>> passes_ = std::make_shared<PassPool<Device>>();
};

#ifdef NUCDET_BODIES

template <class Device>
NetworkOnTiles<Device>::NetworkOnTiles(Context<Device>& context, Network network, Averaging averaging)
    : context_(&context), network_(std::move(network)), averaging_(averaging) {
  averaging_.check();
  const nn::Head& head = network_->head;
  if (head.kind == nn::Head::Kind::none)
    throw ArgumentError(
        "Detector: the network's type names no head (using head = nn::Proximity;): what its maps mean is not known");
  map_ = number_of(head.map), class_map_ = head.class_map.empty() ? map_ : number_of(head.class_map);
}

template <class Device>
Shape NetworkOnTiles<Device>::padded(const Rectangle& read) const {
  const Index stride = network_->coarsest_stride;
  return {1, data::round_up(read.height, stride), data::round_up(read.width, stride), network_->in_channels};
}

template <class Device>
std::vector<Tensor<Device>> NetworkOnTiles<Device>::outputs(View<const float> image,
                                                            const data::ChannelStatistics& statistics,
                                                            const Rectangle& read) const {
  const Shape whole = padded(read);
  std::vector<Tensor<Device>> all = on_device(image, read, [&](View<const float> tile, const Rectangle& at) {
    return outputs_of(tile, statistics, at, {whole});
  });
  for (Tensor<Device>& output : all)
    if (output.shape().h == whole.h && output.shape().w == whole.w)
      output = output.window(0, 0, read.height, read.width);
  return all;
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps_of(const std::vector<Tensor<Device>>& outputs) const {
  TileMaps<Device> maps{nucleus_map(context(), network_->head.kind, outputs[map_]), {}};
  const Index classes = static_cast<Index>(network_->head.classes.size());
  if (classes == 0) return maps;
  maps.scores = outputs[class_map_];
  if (class_map_ == map_) maps.scores = maps.scores.channels(1, classes);
  return maps;
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                              const Look& look) const {
  return resident_maps(image, statistics, look);
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps(View<const float> image, const data::ChannelStatistics& statistics,
                                              const Look& look) const {
  return on_device(image, look.read, [&](View<const float> tile, const Rectangle& at) {
    return resident_maps(tile, statistics, at == look.read ? look : look.alone());
  });
}

template <class Device>
std::size_t NetworkOnTiles<Device>::number_of(const std::string& output) const {
  if (output.empty()) return 0;  // the only one, or the first
  const auto& all = network_->program.outputs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.name == output; });
  if (found == all.end())
    throw ArgumentError(message("Detector: the network's head names the output '", output, "', which it has not"));
  return static_cast<std::size_t>(found - all.begin());
}

template <class Device>
void NetworkOnTiles<Device>::check_sizes(const std::vector<Tensor<Device>>& outputs, const TileShape& shape) const {
  const bool whole = shape.wanted == Rectangle{};
  const Index h = whole ? shape.input.h : shape.wanted.height, w = whole ? shape.input.w : shape.wanted.width;
  for (const std::size_t i : {map_, class_map_}) {
    const Shape& s = outputs[i].shape();
    if (s.h != h || s.w != w)
      throw ShapeError(message("Detector: the output '", network_->program.outputs()[i].name, "' is ", s,
                               " for an input of ", Shape{1, h, w, shape.input.c},
                               ": the head's maps must have the input's size"));
  }
}

/// A GPU prepares for every shape that it meets: the parts in the middle of a tile are of one, those of tiles at the
/// image's border of many, and these are made whole.
template <class Device>
TileShape NetworkOnTiles<Device>::shape_of(const Look& look) const {
  const Rectangle part = look.within(), &read = look.read;
  const bool middle = 2 * part.x + part.width == read.width && 2 * part.y + part.height == read.height;
  if (!std::is_same_v<Device, Cpu> && !middle) return {padded(read)};
  return {padded(read), part};
}

template <class Device>
template <class Pixels>
TileMaps<Device> NetworkOnTiles<Device>::seen(const Pixels& image, const data::ChannelStatistics& statistics,
                                              const Look& look) const {
  const TileShape shape = shape_of(look);
  const Rectangle part = look.within();
  if (averaging_.over == 1) return part_of(maps_of(outputs_of(image, statistics, look.read, shape)), part, shape);
  Tensor<Device> tile = context().make(shape.input);
  prepare(image, statistics, look.read, tile);
  const auto plain = std::as_const(tile).template view<const float>();
  TileMaps<Device> mean;
  for (const Orientation& way : kOrientations) {
    const Rectangle turned = way.of(part, tile.shape());
    const TileShape turned_shape{way.of(tile.shape()), shape.wanted == part ? turned : Rectangle{}};
    const auto pass = passes_->take(context(), network_, turned_shape);
    reorient(context(), plain, way, pass->input().template view<float>());
    check_sizes(pass->run(), turned_shape);
    const TileMaps<Device> maps = part_of(maps_of(pass->outputs()), turned, turned_shape);
    const auto add = [&](const Tensor<Device>& map, Tensor<Device>& sum) {
      if (!map) return;
      if (!sum) sum = context().zeros(way.of(map.shape()));
      add_turned_back(context(), map.template view<const float>(), way, 1.0f / 8, sum.template view<float>());
    };
    add(maps.map, mean.map), add(maps.scores, mean.scores);
  }
  return mean;
}

template <class Device>
template <class Pixels>
void NetworkOnTiles<Device>::prepare(const Pixels& image, const data::ChannelStatistics& statistics,
                                     const Rectangle& read, Tensor<Device>& tile) const {
  const View<float> x = tile.template view<float>();
  data::copy_reflected(context(), image, read.y, read.x, x);
  data::normalize(context(), x, statistics, x);
}

template <class Device>
template <class Pixels>
std::vector<Tensor<Device>> NetworkOnTiles<Device>::outputs_of(const Pixels& image,
                                                               const data::ChannelStatistics& statistics,
                                                               const Rectangle& read, const TileShape& shape) const {
  const auto pass = passes_->take(context(), network_, shape);
  prepare(image, statistics, read, pass->input());
  check_sizes(pass->run(), shape);
  return pass->outputs();
}

#endif

}  // namespace nucdet::detect

#include "nucdet/models/load.hpp"

#include "nucdet/io/head.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/models/networks.hpp"

namespace nucdet::models {

namespace {

/// The weighted loss takes labels to 5, the others leave them at 1.
float full_response_of(const io::Metadata& metadata) {
  const auto loss = metadata.find("loss");
  return loss == metadata.end() || loss->second == "weighted" ? 5.0f : 1.0f;
}

/// A checkpoint holds more than weights.
std::string prefix_of(const io::SafeTensorFile& header) { return header.find("optimizer") != nullptr ? "weight/" : ""; }

/// header: all but the data; weights_of(model) gives the model's tensors with theirs.
template <class Device, class Weights>
LoadedModel<Device> loaded_from(Context<Device>& context, const io::SafeTensorFile& header, const std::string& where,
                                const Thresholds& thresholds, const Weights& weights_of) {
  const io::Metadata& metadata = header.metadata;
  LoadedModel<Device> loaded{make_network(context, network_from(metadata, where), nn::Start::zeros), metadata};
  loaded.normalization = io::normalization_from(metadata, where);
  loaded.peaks = io::peaks_from(metadata, where);
  loaded.full_response = loaded.peaks.full_scale > 0 ? loaded.peaks.full_scale : full_response_of(metadata);
  io::apply_weights(weights_of(*loaded.model), *loaded.model, where, prefix_of(header));
  io::take_head(metadata, *loaded.model, where);
  loaded.peaks.relative = thresholds.xi.value_or(loaded.peaks.relative);
  if (thresholds.threshold) loaded.peaks.set_threshold(*thresholds.threshold);
  loaded.peaks.check();
  return loaded;
}

}  // namespace

template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const std::filesystem::path& path,
                               const Thresholds& thresholds) {
  io::SafeTensorReader reader(path);
  const std::string prefix = prefix_of(reader.header());
  return loaded_from(context, reader.header(), path.string(), thresholds,
                     [&](const nn::Model<Device>& model) { return io::read_weights(reader, model, prefix); });
}

template <class Device>
LoadedModel<Device> load_model(Context<Device>& context, const io::SafeTensorFile& file, const std::string& where,
                               const Thresholds& thresholds) {
  return loaded_from(context, file, where, thresholds,
                     [&](const nn::Model<Device>&) -> const io::SafeTensorFile& { return file; });
}

template <class Device>
detect::Detector<Device> load_detector(Context<Device>& context, const std::filesystem::path& path,
                                       const DetectorOptions& options) {
  const LoadedModel<Device> loaded = load_model(context, path, options.thresholds);
  return detect::Detector<Device>(*loaded.model, loaded.peaks, loaded.normalization, options.tiles, options.averaging);
}

template LoadedModel<Cpu> load_model(Context<Cpu>&, const std::filesystem::path&, const Thresholds&);
template LoadedModel<Cpu> load_model(Context<Cpu>&, const io::SafeTensorFile&, const std::string&, const Thresholds&);
template detect::Detector<Cpu> load_detector(Context<Cpu>&, const std::filesystem::path&, const DetectorOptions&);
#ifdef NUCDET_WITH_CUDA
template LoadedModel<Cuda> load_model(Context<Cuda>&, const std::filesystem::path&, const Thresholds&);
template LoadedModel<Cuda> load_model(Context<Cuda>&, const io::SafeTensorFile&, const std::string&, const Thresholds&);
template detect::Detector<Cuda> load_detector(Context<Cuda>&, const std::filesystem::path&, const DetectorOptions&);
#endif

}  // namespace nucdet::models

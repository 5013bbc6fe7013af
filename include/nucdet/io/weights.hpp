#pragma once
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "nucdet/core/config.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/io/safetensors.hpp"
#include "nucdet/nn/model.hpp"
#include "nucdet/nn/prebuilt.hpp"

/// A model's parameters as safetensors, under their names ("down1.conv2.weight") and in PyTorch's order of axes, so
/// that files go both ways. Header-only.
namespace nucdet::io {

namespace detail {

inline std::string shape_text(const std::vector<Index>& shape) {
  std::string text;
  for (const Index extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

/// PyTorch files carry a counter that nothing here needs.
inline bool ignorable(const std::string& name) { return name.ends_with("num_batches_tracked"); }

}  // namespace detail

/// The model's parameters and running statistics, their names after `prefix`, appended to a file in memory.
template <class Device>
void append_weights(const nn::Model<Device>& model, SafeTensorFile& file, const std::string& prefix = "");

/// Compares names, types and shapes with what the model wants; the data may be missing (SafeTensorReader::header).
/// Throws an IoError that names tensors that are missing, unknown or of another shape, the first 20 at most.
template <class Device>
void check_weights(const SafeTensorFile& header, const nn::Model<Device>& model, const std::string& where,
                   const std::string& prefix = "");

/// Reads the tensors of the model, their names after `prefix`, and no others. Before anything of them is in memory the
/// header is compared with the model: check_weights.
template <class Device>
SafeTensorFile read_weights(SafeTensorReader& reader, const nn::Model<Device>& model, const std::string& prefix = "");

/// Puts a file's values into the model. Nothing is loaded if anything does not fit: the IoError is that of
/// check_weights, or names the first tensor whose values are not finite. `where` names the source.
template <class Device>
void apply_weights(const SafeTensorFile& file, nn::Model<Device>& model, const std::string& where,
                   const std::string& prefix = "");

/// Writes the model's weights with free metadata (network, options, normalisation, training data and licence, xi,
/// seed).
template <class Device>
void save_weights(const std::filesystem::path& path, const nn::Model<Device>& model,
                  std::map<std::string, std::string> metadata = {});

/// Reads weights into the model and returns the file's metadata.
template <class Device>
std::map<std::string, std::string> load_weights(const std::filesystem::path& path, nn::Model<Device>& model);

#ifdef NUCDET_BODIES

namespace detail {

/// Kernels lie as [A, k, k, B] in memory and as [A, B, k, k] in files; everything else is the same in both.
inline std::vector<Index> file_shape(const std::vector<Index>& shape) {
  if (shape.size() != 4) return shape;
  return {shape[0], shape[3], shape[1], shape[2]};
}

/// Calls body(position in the file, position in memory) for every element.
template <class Body>
void for_each_element(const nn::ParameterEntry& entry, Body&& body) {
  if (entry.shape.size() != 4) {
    for (Index i = 0; i < entry.count; ++i) body(i, i);
    return;
  }
  const Index taps = entry.shape[1] * entry.shape[2], channels = entry.shape[3];
  for (Index a = 0; a < entry.shape[0]; ++a)
    for (Index t = 0; t < taps; ++t)
      for (Index b = 0; b < channels; ++b) body((a * channels + b) * taps + t, (a * taps + t) * channels + b);
}

template <class T, class OnHost>
SafeTensor entry_tensor(const nn::ParameterEntry& entry, OnHost& store, std::size_t number) {
  std::vector<T> values(static_cast<std::size_t>(entry.count));
  const T* memory = store.template value<T>(number);
  for_each_element(entry, [&](Index file, Index at) { values[static_cast<std::size_t>(file)] = memory[at]; });
  return make_safe_tensor<T>(entry.name, file_shape(entry.shape), values);
}

template <class T, class OnHost>
void read_entry(const SafeTensor& tensor, const nn::ParameterEntry& entry, OnHost& store, std::size_t number) {
  T* const memory = store.template value<T>(number);
  with_numbers(tensor, [&](const auto& numbers) {
    for_each_element(
        entry, [&](Index file, Index at) { memory[at] = static_cast<T>(numbers[static_cast<std::size_t>(file)]); });
  });
}

/// What is wrong with the numbers of a tensor: a network would answer NaN for them, or nothing at all.
template <class T>
std::string bad_numbers(const SafeTensor& tensor) {
  const bool variance = tensor.name.ends_with("running_var");
  return with_numbers(tensor, [&](const auto& numbers) -> std::string {
    bool good = true;  // of all before which one it is: a loop that may end early is not made of vectors
    for (std::size_t i = 0; i < numbers.count; ++i) {
      const T value = static_cast<T>(numbers[i]);
      good &= std::abs(value) <= std::numeric_limits<T>::max() && !(variance && value < 0);
    }
    for (std::size_t i = 0; !good && i < numbers.count; ++i) {
      const T value = static_cast<T>(numbers[i]);
      if (!std::isfinite(value))
        return message("'", tensor.name, "' holds ", value, " (element ", i, "), wanted finite numbers");
      if (variance && value < 0)
        return message("'", tensor.name, "' holds ", value, " (element ", i, "), a variance is at least 0");
    }
    return {};
  });
}

inline bool is_real(const std::string& dtype) {
  return dtype == "F32" || dtype == "F64" || dtype == "F16" || dtype == "BF16";
}

/// Everything in which a file differs from what the model wants, one clause each. Looks at names, types and shapes
/// alone.
inline std::vector<std::string> mismatches(const std::vector<nn::ParameterEntry>& entries, const SafeTensorFile& file,
                                           const std::string& prefix) {
  std::map<std::string_view, const SafeTensor*> there;
  for (const SafeTensor& tensor : file.tensors)
    if (tensor.name.starts_with(prefix)) there.emplace(std::string_view(tensor.name).substr(prefix.size()), &tensor);
  std::vector<std::string> wrong;
  for (const nn::ParameterEntry& entry : entries) {
    const auto found = there.find(entry.name);
    const std::string wanted = shape_text(file_shape(entry.shape));
    if (found == there.end()) {
      wrong.push_back(message("'", entry.name, "' is missing, wanted ", wanted));
      continue;
    }
    const SafeTensor& tensor = *found->second;
    if (tensor.shape != file_shape(entry.shape))
      wrong.push_back(message("'", entry.name, "' is ", shape_text(tensor.shape), ", wanted ", wanted));
    else if (!is_real(tensor.dtype))
      wrong.push_back(message("'", entry.name, "' is ", tensor.dtype, ", wanted a real type"));
    there.erase(found);
  }
  for (const auto& [name, tensor] : there)
    if (!ignorable(tensor->name))
      wrong.push_back(message("'", printable(name), "' (", shape_text(tensor->shape), ") is not in the network"));
  return wrong;
}

}  // namespace detail

template <class Device>
void append_weights(const nn::Model<Device>& model, SafeTensorFile& file, const std::string& prefix) {
  const auto& store = *model.parameters();
  const typename nn::ParameterStore<Device>::OnHost host(model.context(), store);
  for (std::size_t i = 0; i < store.entries().size(); ++i) {
    file.tensors.push_back(
        nn::dispatch(store.dtype(), [&]<class T>() { return detail::entry_tensor<T>(store.entries()[i], host, i); }));
    file.tensors.back().name = prefix + file.tensors.back().name;
  }
}

template <class Device>
void check_weights(const SafeTensorFile& header, const nn::Model<Device>& model, const std::string& where,
                   const std::string& prefix) {
  constexpr std::size_t kMostLines = 19;
  const std::vector<std::string> wrong = detail::mismatches(model.parameters()->entries(), header, prefix);
  if (wrong.empty()) return;
  std::string text = message(where, ": the weights do not fit the network (", wrong.size(), " mismatches):");
  const std::size_t told = wrong.size() <= kMostLines + 1 ? wrong.size() : kMostLines;
  for (std::size_t i = 0; i < told; ++i) text += "\n  " + wrong[i];
  if (told < wrong.size()) text += message("\n  and ", wrong.size() - told, " more");
  throw IoError(text);
}

template <class Device>
void apply_weights(const SafeTensorFile& file, nn::Model<Device>& model, const std::string& where,
                   const std::string& prefix) {
  check_weights(file, model, where, prefix);
  auto& store = *model.parameters();
  for (const nn::ParameterEntry& entry : store.entries()) {
    const SafeTensor& tensor = *file.find(prefix + entry.name);
    const std::string bad = nn::dispatch(store.dtype(), [&]<class T>() { return detail::bad_numbers<T>(tensor); });
    if (!bad.empty()) throw IoError(message(where, ": ", bad));
  }
  typename nn::ParameterStore<Device>::OnHost host(model.context(), store);
  for (std::size_t i = 0; i < store.entries().size(); ++i) {
    const nn::ParameterEntry& entry = store.entries()[i];
    const SafeTensor& tensor = *file.find(prefix + entry.name);
    nn::dispatch(store.dtype(), [&]<class T>() { detail::read_entry<T>(tensor, entry, host, i); });
  }
  host.write_back(store);
}

template <class Device>
SafeTensorFile read_weights(SafeTensorReader& reader, const nn::Model<Device>& model, const std::string& prefix) {
  check_weights(reader.header(), model, reader.where(), prefix);
  return reader.read(
      [&](const SafeTensor& tensor) { return tensor.name.starts_with(prefix) && !detail::ignorable(tensor.name); });
}

template <class Device>
void save_weights(const std::filesystem::path& path, const nn::Model<Device>& model,
                  std::map<std::string, std::string> metadata) {
  SafeTensorFile file{std::move(metadata), {}};
  append_weights(model, file);
  write_safetensors(path, file);
}

template <class Device>
std::map<std::string, std::string> load_weights(const std::filesystem::path& path, nn::Model<Device>& model) {
  SafeTensorReader reader(path);
  SafeTensorFile file = read_weights(reader, model);
  apply_weights(file, model, path.string());
  return std::move(file.metadata);
}

#endif

#define NUCDET_PREBUILT_WEIGHTS(make, D)                                                                         \
  make void append_weights(const nn::Model<D>&, SafeTensorFile&, const std::string&);                            \
  make void check_weights(const SafeTensorFile&, const nn::Model<D>&, const std::string&, const std::string&);   \
  make SafeTensorFile read_weights(SafeTensorReader&, const nn::Model<D>&, const std::string&);                  \
  make void apply_weights(const SafeTensorFile&, nn::Model<D>&, const std::string&, const std::string&);         \
  make void save_weights(const std::filesystem::path&, const nn::Model<D>&, std::map<std::string, std::string>); \
  make std::map<std::string, std::string> load_weights(const std::filesystem::path&, nn::Model<D>&);

#ifdef NUCDET_PREBUILT
NUCDET_PREBUILT_WEIGHTS(NUCDET_PREBUILT_CPU, Cpu)
#endif
#ifdef NUCDET_WITH_CUDA
NUCDET_PREBUILT_WEIGHTS(NUCDET_PREBUILT_CUDA, Cuda)
#endif

}  // namespace nucdet::io

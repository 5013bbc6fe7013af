#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/nn/initializers.hpp"
#include "nucdet/ops/convert.hpp"

namespace nucdet::nn {

namespace detail {
/// Whether a step or a parameter with this path belongs to a block.
inline bool lies_in(std::string_view path, std::string_view block) {
  return path.starts_with(block) && (path.size() == block.size() || path[block.size()] == '.');
}
}  // namespace detail

/// What a network's parameters are when it is made.
enum class Start { drawn, zeros };

/// One named array of a network.
struct ParameterEntry {
  std::string name;          ///< "down1.conv2.weight"
  std::vector<Index> shape;  ///< in memory: [O, kernel, kernel, I] for kernels, [C] otherwise
  Init init;
  bool statistic = false;  ///< a running statistic: saved, never trained
  bool decay = true;       ///< subject to weight decay
  bool frozen = false;
  Index offset = 0, count = 0;  ///< in its buffer, elements
};

/// All parameters of a network: one contiguous buffer of values, one of gradients, one of running statistics.
/// Thread-safe while const.
template <class Device>
class ParameterStore {
 public:
  explicit ParameterStore(DType type) : type_(type) {}

  DType dtype() const { return type_; }
  std::vector<ParameterEntry>& entries() { return entries_; }
  const std::vector<ParameterEntry>& entries() const { return entries_; }
  Tensor<Device>& values() { return values_; }
  const Tensor<Device>& values() const { return values_; }
  Tensor<Device>& gradients() { return gradients_; }
  Tensor<Device>& statistics() { return statistics_; }
  const Tensor<Device>& statistics() const { return statistics_; }
  /// Trained numbers (what the field calls the number of parameters); padding and statistics do not count.
  Index parameter_count() const {
    Index count = 0;
    for (const ParameterEntry& e : entries_) count += e.statistic ? 0 : e.count;
    return count;
  }

  /// Numbers in the buffers of values and gradients: padding counts.
  Index size() const { return value_size_; }

  /// Used while a network is built; returns the entry's number. Throws Error on a name taken twice.
  std::size_t declare(ParameterEntry entry);

  /// Makes the buffers and draws the initial values: each entry from a stream of its own, named by its name. With
  /// Start::zeros, for weights that will be loaded, everything is 0.
  void allocate(Context<Device>& context, Start start = Start::drawn);
  /// Gradients take memory from the first call on.
  void zero_gradients(Context<Device>& context);

  template <class T>
  T* value(std::size_t entry) {
    const ParameterEntry& e = entries_[entry];
    return (e.statistic ? statistics_ : values_).template view<T>().data + e.offset;
  }
  template <class T>
  T* gradient(std::size_t entry) {
    return gradients_.template view<T>().data + entries_[entry].offset;
  }
  /// A parameter as convolutions on maps of type T read it: the value, or its copy in 16 bits made by round_factors.
  template <class T>
  const T* factors(std::size_t entry) {
    if constexpr (std::is_same_v<T, compute_t<T>>)
      return value<T>(entry);
    else
      return factors_.template view<T>().data + entries_[entry].offset;
  }
  /// Brings the 16-bit copy up to date where maps are of that type; else does nothing.
  void round_factors(Context<Device>& context, DType maps);

  /// All values and statistics on the host: a copy for a device with memory of its own, the numbers themselves on the
  /// CPU.
  class OnHost {
   public:
    OnHost(Context<Device>& context, const ParameterStore& store);
    /// Brings changes to the device; `store` is the one that this was made of.
    void write_back(ParameterStore& store);
    template <class T>
    T* value(std::size_t entry) {
      const ParameterEntry& e = store_.entries_[entry];
      return (e.statistic ? statistics_ : values_).template view<T>().data + e.offset;
    }
    template <class T>
    const T* value(std::size_t entry) const {
      return const_cast<OnHost&>(*this).template value<T>(entry);
    }

   private:
    Context<Device>& context_;
    const ParameterStore& store_;
    Tensor<Cpu> values_, statistics_;
  };

 private:
  static std::uint64_t hash(std::string_view text) {  // FNV-1a
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return h;
  }

  DType type_;
  std::vector<ParameterEntry> entries_;
  Index value_size_ = 0, statistic_size_ = 0;
  Tensor<Device> values_, gradients_, statistics_, factors_;
};

template <class Device>
std::size_t ParameterStore<Device>::declare(ParameterEntry entry) {
  for (const ParameterEntry& e : entries_)
    if (e.name == entry.name) throw Error(message("ParameterStore: two parameters are called '", e.name, "'"));
  Index& size = entry.statistic ? statistic_size_ : value_size_;
  entry.count = 1;
  for (const Index extent : entry.shape) entry.count *= extent;
  entry.offset = size;
  size += (entry.count + 15) / 16 * 16;  // each entry starts on a cache line
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

template <class Device>
void ParameterStore<Device>::allocate(Context<Device>& context, Start start) {
  values_ = context.zeros({1, 1, 1, value_size_}, type_);
  statistics_ = context.zeros({1, 1, 1, statistic_size_}, type_);
  if (start == Start::zeros) return;
  OnHost host(context, *this);
  constexpr Index kChunk = 65536;
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    const ParameterEntry& e = entries_[k];
    context.host().run((e.count + kChunk - 1) / kChunk, [&](Index chunk, int) {
      const Index first = chunk * kChunk, last = std::min(e.count, first + kChunk);
      RandomStream random{context.seed(), hash(e.name), static_cast<std::uint64_t>(first) * e.init.draws};
      for (Index i = first; i < last; ++i) {
        const double number = e.init.draw(random);
        if (type_ == DType::f64)
          host.template value<double>(k)[i] = number;
        else
          host.template value<float>(k)[i] = static_cast<float>(number);
      }
    });
  }
  host.write_back(*this);
}

template <class Device>
void ParameterStore<Device>::round_factors(Context<Device>& context, DType maps) {
  if constexpr (!std::is_same_v<Device, Cpu>) {
    if (size_of(maps) != 2) return;
    if (!factors_ || factors_.dtype() != maps) factors_ = context.make(values_.shape(), maps);
    const View<const float> from = std::as_const(values_).template view<const float>();
    if (maps == DType::bf16)
      ops::convert<float, bf16>(context, from, factors_.template view<bf16>());
    else
      ops::convert<float, f16>(context, from, factors_.template view<f16>());
  }
}

template <class Device>
ParameterStore<Device>::OnHost::OnHost(Context<Device>& context, const ParameterStore& store)
    : context_(context), store_(store) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    values_ = store.values_, statistics_ = store.statistics_;
  } else {
    values_ = to_host(context, store.values_), statistics_ = to_host(context, store.statistics_);
  }
}

template <class Device>
void ParameterStore<Device>::OnHost::write_back([[maybe_unused]] ParameterStore& store) {
  if constexpr (!std::is_same_v<Device, Cpu>) {
    const auto copy = [&](Tensor<Cpu>& from, Tensor<Device>& to) {
      context_.upload(to.template view<float>().data, from.template view<float>().data,
                      static_cast<std::size_t>(from.shape().count()) * sizeof(float));
    };
    copy(values_, store.values_), copy(statistics_, store.statistics_);
  }
}

template <class Device>
void ParameterStore<Device>::zero_gradients(Context<Device>& context) {
  gradients_ = Tensor<Device>(), gradients_ = context.zeros({1, 1, 1, value_size_}, type_);
}

/// A layer's handle on one of its parameters.
template <class Device>
struct Parameter {
  ParameterStore<Device>* store = nullptr;
  std::size_t entry = 0;

  template <class T>
  T* value() const {
    return store->template value<T>(entry);
  }
  template <class T>
  T* gradient() const {
    return store->template gradient<T>(entry);
  }
  template <class T>
  const T* factors() const {
    return store->template factors<T>(entry);
  }
  Index count() const { return store->entries()[entry].count; }
};

/// Given to Layer::bind: declares a layer's parameters under its path.
template <class Device>
class Binder {
 public:
  Binder(ParameterStore<Device>& store, std::string path) : store_(store), path_(std::move(path)) {}

  Parameter<Device> parameter(std::string_view name, std::vector<Index> shape, Init init) {
    return add({full(name), std::move(shape), init});
  }
  Parameter<Device> statistic(std::string_view name, std::vector<Index> shape, double value) {
    return add({.name = full(name), .shape = std::move(shape), .init = Init::constant(value), .statistic = true});
  }

 private:
  std::string full(std::string_view name) const { return path_ + "." + std::string(name); }
  Parameter<Device> add(ParameterEntry entry) { return {&store_, store_.declare(std::move(entry))}; }

  ParameterStore<Device>& store_;
  std::string path_;
};

}  // namespace nucdet::nn

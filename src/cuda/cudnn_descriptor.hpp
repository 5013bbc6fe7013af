#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "nucdet/core/error.hpp"

#include "cudnn_api.hpp"

namespace nucdet::cuda {

/// Throws CudaError unless `status` is success. `what` names the call.
inline void check(const CudnnApi& api, cudnnStatus_t status, std::string_view what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char detail[512] = "";
  api.get_last_error_string(detail, sizeof detail);
  detail[sizeof detail - 1] = '\0';
  throw CudaError(message("cuDNN: ", what, " failed: ", api.get_error_string(status), *detail ? ": " : "", detail));
}

namespace detail {

/// The tag by which cuDNN knows the type of an attribute's elements.
template <class T>
struct AttributeType;
template <cudnnBackendAttributeType_t tag>
struct AttributeTag {
  static constexpr cudnnBackendAttributeType_t value = tag;
};
template <>
struct AttributeType<cudnnHandle_t> : AttributeTag<CUDNN_TYPE_HANDLE> {};
template <>
struct AttributeType<cudnnDataType_t> : AttributeTag<CUDNN_TYPE_DATA_TYPE> {};
template <>
struct AttributeType<bool> : AttributeTag<CUDNN_TYPE_BOOLEAN> {};
template <>
struct AttributeType<std::int64_t> : AttributeTag<CUDNN_TYPE_INT64> {};
template <>
struct AttributeType<float> : AttributeTag<CUDNN_TYPE_FLOAT> {};
template <>
struct AttributeType<double> : AttributeTag<CUDNN_TYPE_DOUBLE> {};
template <>
struct AttributeType<cudnnConvolutionMode_t> : AttributeTag<CUDNN_TYPE_CONVOLUTION_MODE> {};
template <>
struct AttributeType<cudnnPointwiseMode_t> : AttributeTag<CUDNN_TYPE_POINTWISE_MODE> {};
template <>
struct AttributeType<cudnnBackendHeurMode_t> : AttributeTag<CUDNN_TYPE_HEUR_MODE> {};
template <>
struct AttributeType<cudnnBackendKnobType_t> : AttributeTag<CUDNN_TYPE_KNOB_TYPE> {};
template <>
struct AttributeType<cudnnBackendNumericalNote_t> : AttributeTag<CUDNN_TYPE_NUMERICAL_NOTE> {};
template <>
struct AttributeType<cudnnBackendBehaviorNote_t> : AttributeTag<CUDNN_TYPE_BEHAVIOR_NOTE> {};

}  // namespace detail

/// Owns a backend descriptor. The element type of `set` must be the attribute's own: nothing is converted, because
/// cuDNN reads raw memory. Numbers in messages are those of cudnn_graph.h.
class Descriptor {
 public:
  Descriptor(const CudnnApi& api, cudnnBackendDescriptorType_t type) : api_(&api), type_(type) {
    const cudnnStatus_t status = api.backend_create(type, &raw_);
    if (status != CUDNN_STATUS_SUCCESS) check(api, status, message("creating a descriptor of type ", int{type}));
  }
  Descriptor(Descriptor&& o) noexcept : api_(o.api_), type_(o.type_), raw_(std::exchange(o.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& o) noexcept {
    std::swap(api_, o.api_);
    std::swap(type_, o.type_);
    std::swap(raw_, o.raw_);
    return *this;
  }
  ~Descriptor() {
    if (raw_ != nullptr) api_->backend_destroy(raw_);
  }

  template <class T>
  requires requires { detail::AttributeType<T>::value; }
  void set(cudnnBackendAttributeName_t attribute, T value) {
    set_raw(attribute, detail::AttributeType<T>::value, 1, &value);
  }
  void set(cudnnBackendAttributeName_t attribute, std::span<const std::int64_t> values) {
    set_raw(attribute, CUDNN_TYPE_INT64, values.size(), values.data());
  }
  void set(cudnnBackendAttributeName_t attribute, const Descriptor& value) {
    set_raw(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.raw_);
  }
  void set(cudnnBackendAttributeName_t attribute, std::span<const Descriptor> values) {
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const Descriptor& value : values) raw.push_back(value.raw_);
    set_raw(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw.size(), raw.data());
  }
  /// Not an overload of set: a descriptor is a void* too.
  void set_pointers(cudnnBackendAttributeName_t attribute, std::span<void* const> values) {
    set_raw(attribute, CUDNN_TYPE_VOID_PTR, values.size(), values.data());
  }

  void finalize() {
    const cudnnStatus_t status = try_finalize();
    if (status != CUDNN_STATUS_SUCCESS) check(*api_, status, message("finalizing a descriptor of type ", int{type_}));
  }
  /// For descriptors that cuDNN may refuse in normal operation.
  cudnnStatus_t try_finalize() { return api_->backend_finalize(raw_); }

  /// At most `most` elements of an attribute.
  template <class T>
  std::vector<T> get(cudnnBackendAttributeName_t attribute, std::size_t most) const {
    std::vector<T> values(most);
    values.resize(get_raw(attribute, detail::AttributeType<T>::value, most, values.data()));
    return values;
  }
  /// An attribute that has exactly one element.
  template <class T>
  T get(cudnnBackendAttributeName_t attribute) const {
    T value{};
    get_raw(attribute, detail::AttributeType<T>::value, 1, &value);
    return value;
  }
  /// Descriptors come back as copies into new descriptors of type `type`; at most `most` of them.
  std::vector<Descriptor> get(cudnnBackendAttributeName_t attribute, cudnnBackendDescriptorType_t type,
                              std::size_t most) const {
    std::vector<Descriptor> values;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (std::size_t i = 0; i < most; ++i) raw.push_back(values.emplace_back(*api_, type).raw_);
    const std::size_t count = get_raw(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, raw.data());
    while (values.size() > count) values.pop_back();
    return values;
  }
  /// How many descriptors an attribute holds.
  std::size_t count(cudnnBackendAttributeName_t attribute) const {
    std::int64_t found = 0;
    require(api_->backend_get(raw_, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &found, nullptr), "counting",
            attribute);
    return static_cast<std::size_t>(found);
  }

  cudnnBackendDescriptor_t raw() const { return raw_; }

 private:
  void set_raw(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, std::size_t count,
               const void* elements) {
    require(api_->backend_set(raw_, attribute, type, static_cast<std::int64_t>(count), elements), "setting", attribute);
  }
  std::size_t get_raw(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, std::size_t most,
                      void* to) const {
    std::int64_t found = 0;
    require(api_->backend_get(raw_, attribute, type, static_cast<std::int64_t>(most), &found, to), "reading",
            attribute);
    return std::min(static_cast<std::size_t>(found), most);
  }
  void require(cudnnStatus_t status, const char* what, cudnnBackendAttributeName_t attribute) const {
    if (status != CUDNN_STATUS_SUCCESS)
      check(*api_, status, message(what, " attribute ", int{attribute}, " of a descriptor of type ", int{type_}));
  }

  const CudnnApi* api_;
  cudnnBackendDescriptorType_t type_;
  cudnnBackendDescriptor_t raw_ = nullptr;
};

}  // namespace nucdet::cuda

#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "nucdet/core/dtype.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/rectangle.hpp"
#include "nucdet/core/view.hpp"

namespace nucdet {

/// An owning handle on an NHWC array of a run-time element type, on `Device`.
///
/// Copying a Tensor shares the elements (`ops::copy` copies them); a slice made by `channels` or `window`
/// shares them too. Memory returns to its pool with the last handle. Made by `Context::make`. Handles of one memory may
/// live on several threads; one handle is one thread's at a time, and so are elements that are written.
template <class Device>
class Tensor {
 public:
  Tensor() = default;
  Tensor(std::shared_ptr<std::byte> memory, Shape shape, DType type)
      : memory_(std::move(memory)), strides_(nullptr, shape), type_(type) {}

  explicit operator bool() const { return memory_ != nullptr; }
  const Shape& shape() const { return strides_.shape; }
  DType dtype() const { return type_; }
  bool dense() const { return strides_.dense(); }
  /// The first byte, in the device's memory.
  std::byte* memory() const { return memory_.get() + offset_ * static_cast<Index>(size_of(type_)); }
  /// True while no other handle shares the memory, so that it may be written in place.
  bool unique() const { return memory_.use_count() == 1; }

  /// The elements, to write. Throws ShapeError if T is not the element type.
  template <class T>
  View<T> view() {
    return checked<T>();
  }
  /// The elements, to read: T must be const.
  template <class T>
  requires std::is_const_v<T> View<T> view()
  const { return checked<T>(); }

  /// Channels [first, first + count) of the same memory.
  Tensor channels(Index first, Index count) const {
    check_range("channels", first, count, shape().c);
    return sliced({shape().n, shape().h, shape().w, count}, first);
  }
  /// A rectangle of pixels of the same memory.
  Tensor window(Index y, Index x, Index h, Index w) const {
    check_range("window rows", y, h, shape().h);
    check_range("window columns", x, w, shape().w);
    return sliced({shape().n, h, w, shape().c}, y * strides_.row_stride + x * strides_.pixel_stride);
  }
  /// A dense array that begins so many elements after this one's first and lies within the same memory.
  Tensor part(Index first, Shape shape) const {
    check_range("part", first, shape.count(), this->shape().count());
    Tensor t(memory_, shape, type_);
    t.offset_ = offset_ + first;
    return t;
  }
  Tensor window(const Rectangle& part) const { return window(part.y, part.x, part.height, part.width); }

 private:
  template <class T>
  View<T> checked() const {
    using Element = std::remove_const_t<T>;
    if (dtype_of<Element> != type_)
      throw ShapeError(message("Tensor: holds ", name_of(type_), ", asked for ", name_of(dtype_of<Element>)));
    View<T> v(nullptr, shape(), strides_.image_stride, strides_.row_stride, strides_.pixel_stride);
    v.data = memory_ ? reinterpret_cast<T*>(memory_.get()) + offset_ : nullptr;
    return v;
  }
  static void check_range(const char* what, Index first, Index count, Index size) {
    if (first < 0 || count < 0 || first + count > size)
      throw ShapeError(message("Tensor: ", what, " [", first, ", ", first + count, ") of ", size));
  }
  Tensor sliced(Shape part, Index offset) const {
    Tensor t = *this;
    t.offset_ += offset;
    t.strides_.shape = part;
    return t;
  }

  std::shared_ptr<std::byte> memory_;
  View<char> strides_;  // its pointer stays null: only shape and strides are used
  Index offset_ = 0;
  DType type_ = DType::f32;
};

}  // namespace nucdet

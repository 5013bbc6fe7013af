#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <type_traits>

#include "nucdet/core/error.hpp"
#include "nucdet/core/watch.hpp"

#include "nucdet.h"

/// What every function of the C interface does: exceptions become a status and a text, structs are read by their size.
namespace nucdet::capi {

/// Keeps the text for nucdet_last_error and gives the status back.
nucdet_status failed(nucdet_status status, const char* text) noexcept;

/// Calls body(); nothing that it throws goes any further.
template <class Body>
nucdet_status guarded(const Body& body) noexcept {
  try {
    body();
    return NUCDET_OK;
  } catch (const Stopped& error) { return failed(NUCDET_CANCELLED, error.what()); } catch (const ArgumentError& error) {
    return failed(NUCDET_BAD_ARGUMENT, error.what());
  } catch (const ShapeError& error) { return failed(NUCDET_BAD_SHAPE, error.what()); } catch (const IoError& error) {
    return failed(NUCDET_BAD_FILE, error.what());
  } catch (const NumericError& error) {
    return failed(NUCDET_BAD_NUMBER, error.what());
  } catch (const CudaError& error) { return failed(NUCDET_GPU_FAILED, error.what()); } catch (const std::bad_alloc&) {
    return failed(NUCDET_NO_MEMORY, "there is no memory left");
  } catch (const std::exception& error) { return failed(NUCDET_FAILED, error.what()); } catch (...) {
    return failed(NUCDET_FAILED, "something was thrown that is no error");
  }
}

/// Throws ArgumentError in the name of what is null.
template <class T>
T& wanted(T* given, const char* what) {
  if (given == nullptr) throw ArgumentError(message(what, " is null"));
  return *given;
}

/// Bytes of a struct as it was first published: it grows behind them, and these stay as they are.
template <class S>
inline constexpr std::size_t kFirstSize = 0;
template <>
inline constexpr std::size_t kFirstSize<nucdet_detector_options> = offsetof(nucdet_detector_options, average) +
                                                                   sizeof(std::int32_t);
template <>
inline constexpr std::size_t kFirstSize<nucdet_image> = offsetof(nucdet_image, um_per_pixel) + sizeof(double);
template <>
inline constexpr std::size_t kFirstSize<nucdet_slide_options> = offsetof(nucdet_slide_options, ahead) +
                                                                sizeof(std::int32_t);

/// A struct of a caller that was compiled with any version of it: what an earlier one does not know is 0, and what this
/// one does not know must be 0 (as Linux's openat2 and clone3 read theirs). Throws ArgumentError.
template <class S>
S read_struct(const S& given, const char* what) {
  static_assert(std::is_trivially_copyable_v<S> && offsetof(S, size) == 0 && kFirstSize<S> > 0);
  constexpr std::size_t kMost = 4096;  // more is a size that was never set
  const std::size_t size = given.size;
  if (size < kFirstSize<S> || size > kMost)
    throw ArgumentError(message(what, ": its size is ", size, ", wanted sizeof(", what, "), ", sizeof(S)));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&given);
  const std::size_t known = std::min(size, sizeof(S));
  if (std::any_of(bytes + known, bytes + size, [](unsigned char byte) { return byte != 0; }))
    throw ArgumentError(
        message(what, ": it has settings beyond ", sizeof(S), " bytes, which this version of nucdet does not know"));
  S read{};
  std::memcpy(static_cast<void*>(&read), bytes, known);
  return read;
}

/// The same, or the defaults.
template <class S>
S read_struct(const S* given, const char* what) {
  return given == nullptr ? S{} : read_struct(*given, what);
}

/// Tells the caller's function, and stops where it asks for that.
Watch watch_of(nucdet_progress progress, void* user);

}  // namespace nucdet::capi

#include "call.hpp"

#include <memory>

namespace nucdet::capi {

namespace {

/// Of this thread; an array, so that a failure for want of memory has a text too.
constinit thread_local char last_error[2048] = "";

}  // namespace

nucdet_status failed(nucdet_status status, const char* text) noexcept {
  std::size_t length = std::min(std::strlen(text), sizeof last_error - 1);
  if (text[length] != '\0')  // no half character of UTF-8
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  std::memcpy(last_error, text, length);
  last_error[length] = '\0';
  return status;
}

Watch watch_of(nucdet_progress progress, void* user) {
  if (progress == nullptr) return {};
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  return {.stop = token, .progress = [progress, user, stop](Index done, Index all) mutable {
            if (progress(user, done, all) != 0) stop.request_stop();
          }};
}

}  // namespace nucdet::capi

const char* nucdet_last_error(void) { return nucdet::capi::last_error; }

const char* nucdet_status_name(nucdet_status status) {
  switch (status) {
    case NUCDET_OK:
      return "ok";
    case NUCDET_BAD_ARGUMENT:
      return "bad argument";
    case NUCDET_BAD_SHAPE:
      return "bad shape";
    case NUCDET_BAD_FILE:
      return "bad file";
    case NUCDET_BAD_NUMBER:
      return "bad number";
    case NUCDET_GPU_FAILED:
      return "GPU failed";
    case NUCDET_CANCELLED:
      return "cancelled";
    case NUCDET_NO_MEMORY:
      return "no memory";
    case NUCDET_FAILED:
      return "failed";
    default:
      return "no status of nucdet";
  }
}

#include "openslide_library.hpp"

#include "nucdet/slide/open.hpp"

#ifndef NUCDET_OPENSLIDE_LOADED

namespace nucdet::slide {

bool use_openslide(const std::filesystem::path&) { return false; }

}  // namespace nucdet::slide

#ifdef NUCDET_WITH_OPENSLIDE

namespace nucdet::slide::detail {

const OpenSlideLibrary* openslide_library() {
  static const OpenSlideLibrary linked{openslide_get_version,
                                       openslide_detect_vendor,
                                       openslide_open,
                                       openslide_close,
                                       openslide_get_error,
                                       openslide_get_property_value,
                                       openslide_get_level_count,
                                       openslide_get_level_dimensions,
                                       openslide_get_level_downsample,
                                       openslide_read_region,
                                       openslide_get_associated_image_names,
                                       openslide_get_associated_image_dimensions,
                                       openslide_read_associated_image};
  return &linked;
}

}  // namespace nucdet::slide::detail

#endif

#else

#include <mutex>
#include <optional>
#include <string>

#include <dlfcn.h>

#include "nucdet/core/error.hpp"

namespace nucdet::slide::detail {

namespace {

/// A function of an open library. Throws IoError where it is not there.
template <class Function>
void find(void* library, const std::string& where, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) throw IoError(message(where, ": is no OpenSlide that nucdet can use: it has no ", name));
}

OpenSlideLibrary functions_of(void* library, const std::string& where) {
  OpenSlideLibrary f{};
  find(library, where, "openslide_get_version", f.get_version);
  find(library, where, "openslide_detect_vendor", f.detect_vendor);
  find(library, where, "openslide_open", f.open);
  find(library, where, "openslide_close", f.close);
  find(library, where, "openslide_get_error", f.get_error);
  find(library, where, "openslide_get_property_value", f.get_property_value);
  find(library, where, "openslide_get_level_count", f.get_level_count);
  find(library, where, "openslide_get_level_dimensions", f.get_level_dimensions);
  find(library, where, "openslide_get_level_downsample", f.get_level_downsample);
  find(library, where, "openslide_read_region", f.read_region);
  find(library, where, "openslide_get_associated_image_names", f.get_associated_image_names);
  find(library, where, "openslide_get_associated_image_dimensions", f.get_associated_image_dimensions);
  find(library, where, "openslide_read_associated_image", f.read_associated_image);
  return f;
}

/// What was opened. It stays open: slides of it may be in use until the program ends.
struct Loaded {
  std::mutex mutex;
  std::optional<OpenSlideLibrary> functions;
  bool sought = false;
};

Loaded& loaded() {
  static Loaded one;
  return one;
}

/// Of OpenSlide 4 and of 3.
constexpr const char* kNames[] = {"libopenslide.so.1", "libopenslide.so.0"};

}  // namespace

const OpenSlideLibrary* openslide_library() {
  Loaded& l = loaded();
  const std::scoped_lock lock(l.mutex);
  for (const char* name : kNames) {
    if (l.sought || l.functions) break;
    void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    try {
      l.functions = functions_of(library, name);
    } catch (const IoError&) { continue; }  // not one that can be used: the other may be
  }
  l.sought = true;
  return l.functions ? &*l.functions : nullptr;
}

}  // namespace nucdet::slide::detail

namespace nucdet::slide {

bool use_openslide(const std::filesystem::path& path) {
  detail::Loaded& l = detail::loaded();
  const std::scoped_lock lock(l.mutex);
  if (l.functions) return false;
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    throw IoError(message(path.string(), ": cannot be opened as a library", why == nullptr ? "" : ": ",
                          why == nullptr ? "" : why));
  }
  l.functions = detail::functions_of(library, path.string());
  return true;
}

}  // namespace nucdet::slide

#endif

#pragma once
#ifdef NUCDET_WITH_OPENSLIDE

#include <openslide.h>

/// The only place that sees OpenSlide.
namespace nucdet::slide::detail {

/// The functions of it that are called.
struct OpenSlideLibrary {
  decltype(&::openslide_get_version) get_version;
  decltype(&::openslide_detect_vendor) detect_vendor;
  decltype(&::openslide_open) open;
  decltype(&::openslide_close) close;
  decltype(&::openslide_get_error) get_error;
  decltype(&::openslide_get_property_value) get_property_value;
  decltype(&::openslide_get_level_count) get_level_count;
  decltype(&::openslide_get_level_dimensions) get_level_dimensions;
  decltype(&::openslide_get_level_downsample) get_level_downsample;
  decltype(&::openslide_read_region) read_region;
  decltype(&::openslide_get_associated_image_names) get_associated_image_names;
  decltype(&::openslide_get_associated_image_dimensions) get_associated_image_dimensions;
  decltype(&::openslide_read_associated_image) read_associated_image;
};

/// The library that nucdet was linked with, or, with NUCDET_OPENSLIDE=AUTO or LOAD, the one that is opened when it is
/// first asked for: null where there is none. Thread-safe.
const OpenSlideLibrary* openslide_library();

}  // namespace nucdet::slide::detail

#endif

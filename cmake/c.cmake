# nucdet::c: the C interface, one shared library with all of nucdet in it that shows nothing but include/nucdet.h.
if(NOT NUCDET_C OR NOT TARGET nucdet_models)
  return()
endif()
file(GLOB _capi CONFIGURE_DEPENDS src/capi/*.cpp)
add_library(nucdet_c SHARED ${_capi})
add_library(nucdet::c ALIAS nucdet_c)
set_target_properties(nucdet_c PROPERTIES EXPORT_NAME c OUTPUT_NAME nucdet VERSION ${PROJECT_VERSION} SOVERSION 0
                                          CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_sources(nucdet_c PUBLIC FILE_SET c_header TYPE HEADERS BASE_DIRS include FILES include/nucdet.h)
target_link_libraries(nucdet_c PRIVATE nucdet_models nucdet_slide $<BUILD_INTERFACE:nucdet_warnings>
                                       $<BUILD_INTERFACE:nucdet_hardening>)
set(_map ${PROJECT_SOURCE_DIR}/src/capi/nucdet.map)
target_link_options(nucdet_c PRIVATE LINKER:--version-script=${_map})
set_target_properties(nucdet_c PROPERTIES LINK_DEPENDS ${_map})

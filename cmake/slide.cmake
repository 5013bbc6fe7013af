# nucdet::slide: whole slides, a rectangle at a time; by OpenSlide what libtiff alone does not read.
# OpenSlide brings some thirty libraries, and every run of a program that is linked with it waits for them: half of the time
# before main begins.
set(NUCDET_OPENSLIDE AUTO CACHE STRING
    "Slides of scanners by OpenSlide, opened when a slide is: AUTO (where its header is found), LOAD (the header is wanted), OFF; ON links it")
set_property(CACHE NUCDET_OPENSLIDE PROPERTY STRINGS AUTO LOAD ON OFF)

if(TARGET nucdet_io)
  set(NUCDET_OPENSLIDE_FOUND OFF)
  if(NOT NUCDET_OPENSLIDE STREQUAL "OFF")
    find_path(NUCDET_OPENSLIDE_INCLUDE openslide.h PATH_SUFFIXES openslide)
    find_library(NUCDET_OPENSLIDE_LIBRARY openslide)
    mark_as_advanced(NUCDET_OPENSLIDE_INCLUDE NUCDET_OPENSLIDE_LIBRARY)
    if(NUCDET_OPENSLIDE_INCLUDE AND (NUCDET_OPENSLIDE_LIBRARY OR NOT NUCDET_OPENSLIDE STREQUAL "ON"))
      set(NUCDET_OPENSLIDE_FOUND ON)
    elseif(NUCDET_OPENSLIDE MATCHES "^(ON|LOAD)$")
      message(FATAL_ERROR "NUCDET_OPENSLIDE is ${NUCDET_OPENSLIDE}, and openslide (openslide.h) was not found")
    else()
      message(STATUS "nucdet::slide is built without OpenSlide: of scanners' formats only tiled TIFF is read")
    endif()
  endif()

  # What a library with the readers of src/slide links.
  function(nucdet_link_slide_formats target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    nucdet_link_formats(${target})
    if(NUCDET_OPENSLIDE_FOUND)
      target_compile_definitions(${target} PRIVATE NUCDET_WITH_OPENSLIDE)
      target_include_directories(${target} SYSTEM PRIVATE ${NUCDET_OPENSLIDE_INCLUDE})
      if(NOT NUCDET_OPENSLIDE STREQUAL "ON")
        target_compile_definitions(${target} PRIVATE NUCDET_OPENSLIDE_LOADED)
        target_link_libraries(${target} PRIVATE ${CMAKE_DL_LIBS})
      else()
        target_link_libraries(${target} PRIVATE ${NUCDET_OPENSLIDE_LIBRARY})
      endif()
    endif()
  endfunction()

  file(GLOB _slide CONFIGURE_DEPENDS src/slide/*.cpp)
  add_library(nucdet_slide ${_slide})
  # Tests put their own in place of these.
  set_source_files_properties(src/slide/open.cpp src/slide/openslide_library.cpp src/slide/openslide_pyramid.cpp
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_library(nucdet::slide ALIAS nucdet_slide)
  set_target_properties(nucdet_slide PROPERTIES EXPORT_NAME slide VERSION ${PROJECT_VERSION} SOVERSION ${NUCDET_CXX_SOVERSION}
                                                POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(nucdet_slide PUBLIC nucdet_io PRIVATE $<BUILD_INTERFACE:nucdet_warnings>
                                                              $<BUILD_INTERFACE:nucdet_hardening>)
  nucdet_link_slide_formats(nucdet_slide)
endif()

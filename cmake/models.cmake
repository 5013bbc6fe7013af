# nucdet::models: networks by name, models and detectors from weight files, trainings. The table of networks is compiled here.
if(NOT NUCDET_IO)
  return()
endif()
file(GLOB NUCDET_MODELS_SOURCES CONFIGURE_DEPENDS src/models/*.cpp)
add_library(nucdet_models ${NUCDET_MODELS_SOURCES})
add_library(nucdet::models ALIAS nucdet_models)
set_target_properties(nucdet_models PROPERTIES EXPORT_NAME models VERSION ${PROJECT_VERSION} SOVERSION 0.1
                                               POSITION_INDEPENDENT_CODE ON)
target_link_libraries(nucdet_models PUBLIC nucdet_cpu nucdet_io PRIVATE $<BUILD_INTERFACE:nucdet_warnings>
                                                           $<BUILD_INTERFACE:nucdet_hardening>)
if(TARGET nucdet_cuda)
  target_link_libraries(nucdet_models PUBLIC nucdet_cuda)
endif()

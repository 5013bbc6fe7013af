# nucdet::models: networks by name, models and detectors from weight files, trainings. The table of networks is compiled here.
if(NOT NUCDET_IO)
  return()
endif()
file(GLOB NUCDET_MODELS_SOURCES CONFIGURE_DEPENDS src/models/*.cpp)
add_library(nucdet_models ${NUCDET_MODELS_SOURCES})
add_library(nucdet::models ALIAS nucdet_models)
set_target_properties(nucdet_models PROPERTIES EXPORT_NAME models VERSION ${PROJECT_VERSION} SOVERSION ${NUCDET_CXX_SOVERSION}
                                               POSITION_INDEPENDENT_CODE ON)
target_link_libraries(nucdet_models PUBLIC nucdet_cpu nucdet_io PRIVATE $<BUILD_INTERFACE:nucdet_warnings>
                                                           $<BUILD_INTERFACE:nucdet_hardening>)
if(TARGET nucdet_cuda)
  target_link_libraries(nucdet_models PUBLIC nucdet_cuda)
endif()

# Our own programs are built for a stated instruction set; what users link is for every processor. What nucdet::cpu and
# nucdet::models hold is therefore compiled once more, for the program and the Python module, without fused multiply-adds
# that the compiler finds: so that their numbers are those of what users link. (The kernels that need them say so, and are
# the same objects in both.) NUCDET_PROGRAM_MODELS is what they link, NUCDET_PROGRAM_OPTIONS how they are compiled.
set(NUCDET_PROGRAM_MODELS nucdet_models)
set(NUCDET_PROGRAM_OPTIONS)
if((NUCDET_BUILD_TOOLS OR NUCDET_PYTHON) AND NUCDET_TOOLS_ARCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_library(nucdet_program_models STATIC ${NUCDET_MODELS_SOURCES} ${PROJECT_SOURCE_DIR}/src/cpu/prebuilt.cpp
                                           $<TARGET_OBJECTS:nucdet_cpu_kernels>)
  set_target_properties(nucdet_program_models PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(nucdet_program_models PUBLIC NUCDET_PREBUILT)
  set(NUCDET_PROGRAM_OPTIONS -O3 -march=${NUCDET_TOOLS_ARCH} -ffp-contract=off)
  target_compile_options(nucdet_program_models PRIVATE ${NUCDET_PROGRAM_OPTIONS})
  target_link_libraries(nucdet_program_models PUBLIC nucdet_io PRIVATE nucdet_warnings nucdet_hardening)
  if(TARGET nucdet_cuda)
    target_link_libraries(nucdet_program_models PUBLIC nucdet_cuda)
  endif()
  set(NUCDET_PROGRAM_MODELS nucdet_program_models)
endif()

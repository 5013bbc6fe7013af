# nucdet::mpi: training by several processes of MPI.
set(NUCDET_MPI AUTO CACHE STRING "Training by several processes, by MPI 3: AUTO (where it is found), ON or OFF")
set_property(CACHE NUCDET_MPI PROPERTY STRINGS AUTO ON OFF)
if(NUCDET_MPI STREQUAL "OFF" OR NOT PROJECT_IS_TOP_LEVEL AND NUCDET_MPI STREQUAL "AUTO")
  return()
endif()
find_package(MPI 3 QUIET COMPONENTS CXX)
if(NOT MPI_CXX_FOUND)
  if(NUCDET_MPI STREQUAL "ON")
    message(FATAL_ERROR "NUCDET_MPI is ON, and no MPI 3 was found (Debian: libopenmpi-dev)")
  endif()
  return()
endif()
add_library(nucdet_mpi src/mpi/mpi_ranks.cpp)
add_library(nucdet::mpi ALIAS nucdet_mpi)
set_target_properties(nucdet_mpi PROPERTIES EXPORT_NAME mpi VERSION ${PROJECT_VERSION} SOVERSION 0.1
                                            POSITION_INDEPENDENT_CODE ON)
target_link_libraries(nucdet_mpi PUBLIC nucdet PRIVATE MPI::MPI_CXX $<BUILD_INTERFACE:nucdet_warnings>
                                                       $<BUILD_INTERFACE:nucdet_hardening>)

# nucdet::onnx: networks as files of ONNX. Without ONNX's library it is there too, and says what is missing.
set(NUCDET_ONNX AUTO CACHE STRING "Export of networks to ONNX: AUTO (where libonnx and protobuf are found), ON or OFF")
set_property(CACHE NUCDET_ONNX PROPERTY STRINGS AUTO ON OFF)
if(NOT NUCDET_IO)
  return()
endif()

set(NUCDET_ONNX_FOUND OFF)
if(NOT NUCDET_ONNX STREQUAL "OFF")
  # Not by ONNXConfig.cmake: Debian's wants packages that are not needed here.
  find_path(NUCDET_ONNX_INCLUDE onnx/onnx_pb.h)
  find_path(NUCDET_PROTOBUF_INCLUDE google/protobuf/message.h)
  find_library(NUCDET_ONNX_LIBRARY onnx_proto)
  find_library(NUCDET_PROTOBUF_LIBRARY protobuf)
  mark_as_advanced(NUCDET_ONNX_INCLUDE NUCDET_PROTOBUF_INCLUDE NUCDET_ONNX_LIBRARY NUCDET_PROTOBUF_LIBRARY)
  if(NUCDET_ONNX_INCLUDE AND NUCDET_PROTOBUF_INCLUDE AND NUCDET_ONNX_LIBRARY AND NUCDET_PROTOBUF_LIBRARY)
    set(NUCDET_ONNX_FOUND ON)
  elseif(NUCDET_ONNX STREQUAL "ON")
    message(FATAL_ERROR "NUCDET_ONNX is ON, and ONNX (onnx/onnx_pb.h, libonnx_proto) or protobuf was not found")
  else()
    message(STATUS "nucdet::onnx is built without ONNX (libonnx_proto) or protobuf: nothing is exported")
  endif()
endif()

set(NUCDET_ONNX_SOURCES ${PROJECT_SOURCE_DIR}/src/onnx/export_none.cpp)
if(NUCDET_ONNX_FOUND)
  set(NUCDET_ONNX_SOURCES ${PROJECT_SOURCE_DIR}/src/onnx/export.cpp ${PROJECT_SOURCE_DIR}/src/onnx/graph.cpp)
endif()

# What a library or program that sees ONNX's own types links.
function(nucdet_link_onnx target)
  if(NUCDET_ONNX_FOUND)
    target_compile_definitions(${target} PRIVATE ONNX_NAMESPACE=onnx ONNX_ML=1)
    target_include_directories(${target} SYSTEM PRIVATE ${NUCDET_ONNX_INCLUDE} ${NUCDET_PROTOBUF_INCLUDE})
    target_link_libraries(${target} PRIVATE ${NUCDET_ONNX_LIBRARY} ${NUCDET_PROTOBUF_LIBRARY})
  endif()
endfunction()

add_library(nucdet_onnx ${NUCDET_ONNX_SOURCES})
add_library(nucdet::onnx ALIAS nucdet_onnx)
set_target_properties(nucdet_onnx PROPERTIES EXPORT_NAME onnx VERSION ${PROJECT_VERSION} SOVERSION ${NUCDET_CXX_SOVERSION}
                                             POSITION_INDEPENDENT_CODE ON)
target_link_libraries(nucdet_onnx PUBLIC nucdet_cpu nucdet_io PRIVATE $<BUILD_INTERFACE:nucdet_warnings>
                                                         $<BUILD_INTERFACE:nucdet_hardening>)
nucdet_link_onnx(nucdet_onnx)

# The CPU kernels: src/cpu/isa_*.cpp is the same code, compiled once for every instruction set and always optimised; less
# where sanitizers make a kernel many times as long.
set(_optimised -O3)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(_optimised -O1)
endif()
add_library(nucdet_cpu_kernels OBJECT src/cpu/convolution.cpp src/cpu/depthwise.cpp src/cpu/direct.cpp src/cpu/winograd.cpp
  src/cpu/winograd_gradient.cpp
                                      src/cpu/isa_portable.cpp)
set_target_properties(nucdet_cpu_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_include_directories(nucdet_cpu_kernels PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(nucdet_cpu_kernels PRIVATE NUCDET_PREBUILT)
target_link_libraries(nucdet_cpu_kernels PRIVATE nucdet)
set_source_files_properties(src/cpu/isa_portable.cpp PROPERTIES COMPILE_OPTIONS ${_optimised})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_sources(nucdet_cpu_kernels PRIVATE src/cpu/isa_avx2.cpp src/cpu/isa_avx512.cpp)
  target_compile_definitions(nucdet_cpu_kernels PRIVATE NUCDET_CPU_X86)
  set_source_files_properties(src/cpu/isa_avx2.cpp PROPERTIES COMPILE_OPTIONS "${_optimised};-mavx2;-mfma")
  set_source_files_properties(src/cpu/isa_avx512.cpp PROPERTIES COMPILE_OPTIONS
                                                                "${_optimised};-mavx512f;-mavx512vl;-mavx512bw;-mavx512dq;-mfma")
endif()

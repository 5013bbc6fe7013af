# The project's warnings, for its own targets only.
option(NUCDET_WERROR "Treat warnings in the project's own targets as errors" OFF)
add_library(nucdet_warnings INTERFACE)
target_compile_options(
  nucdet_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow;$<$<BOOL:${NUCDET_WERROR}>:-Werror>>
            $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra;$<$<BOOL:${NUCDET_WERROR}>:--Werror=all-warnings>>)
# g++ 12 sees overlapping copies in inlined std::string concatenation where there are none (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(nucdet_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
# A source of a batch is no header, which g++ takes it for.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_UNITY_BUILD)
  target_compile_options(nucdet_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()

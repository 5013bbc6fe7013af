# For what reads files that strangers made: the program, and the libraries' readers.
add_library(nucdet_hardening INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(nucdet_hardening INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fstack-protector-strong>)
  # Checked copies need an optimising compiler, and are not for sanitizers, which check more.
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_compile_options(nucdet_hardening INTERFACE
                           $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
  endif()
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_options(nucdet_hardening INTERFACE LINKER:-z,relro,-z,now)
  endif()
endif()

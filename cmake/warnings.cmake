# The project's warnings, for its own targets only.
option(NUCDET_WERROR "Treat warnings in the project's own targets as errors" OFF)
add_library(nucdet_warnings INTERFACE)
target_compile_options(nucdet_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                 $<$<BOOL:${NUCDET_WERROR}>:-Werror>)

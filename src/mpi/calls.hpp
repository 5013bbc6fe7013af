#pragma once
#include <cstddef>
#include <limits>
#include <string_view>

#include "nucdet/core/ranks.hpp"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

/// What all calls of MPI have in common.
namespace nucdet::mpi {

/// Throws RanksError for a call that failed.
inline void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw RanksError(message(what, ": ", std::string_view(text, static_cast<std::size_t>(length))));
}

inline int count_of(std::size_t size, const char* what) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw RanksError(message(what, ": ", size, " at a time, MPI takes ", std::numeric_limits<int>::max()));
  return static_cast<int>(size);
}

/// Whether that is done. MPI goes on with everything that is under way while it is asked, and hardly otherwise.
inline bool tested(MPI_Request& request) {
  int done = 0;
  check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

}  // namespace nucdet::mpi

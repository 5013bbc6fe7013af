#pragma once
/// The project's macros, all of them.

/// Marks a function that runs on the host and, when nvcc compiles it, on the device too.
#if defined(__CUDACC__)
#define NUCDET_HD __host__ __device__
#else
#define NUCDET_HD
#endif

/// An invariant of our own (never a user's mistake: those throw). Compiled out in release builds.
#if defined(__CUDA_ARCH__) || defined(NDEBUG)
#define NUCDET_ASSERT(condition) static_cast<void>(0)
#else
#include <cassert>
#define NUCDET_ASSERT(condition) assert(condition)
#endif

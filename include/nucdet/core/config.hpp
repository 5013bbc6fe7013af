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

/// What depends on no type of a user's is compiled once, in nucdet::cpu (src/cpu/prebuilt.cpp): a file that links it
/// sees declarations, one that has the headers alone the definitions too, inline. Linking nucdet::cpu defines
/// NUCDET_PREBUILT.
#if !defined(NUCDET_PREBUILT)
#define NUCDET_INLINE inline
#elif defined(NUCDET_PREBUILT_CPU)
#define NUCDET_INLINE
#endif

/// Likewise the templates for a device, which nucdet::cpu and nucdet::cuda instantiate (linking that defines
/// NUCDET_WITH_CUDA).
#if defined(NUCDET_INLINE) || defined(NUCDET_PREBUILT_CUDA)
#define NUCDET_BODIES
#endif
// The libraries' own files make these `template`.
#ifndef NUCDET_PREBUILT_CPU
#define NUCDET_PREBUILT_CPU extern template
#endif
#ifndef NUCDET_PREBUILT_CUDA
#define NUCDET_PREBUILT_CUDA extern template
#endif

#pragma once
/// The version, in one place: CMake reads these three lines.
#define NUCDET_VERSION_MAJOR 0
#define NUCDET_VERSION_MINOR 1
#define NUCDET_VERSION_PATCH 0
#define NUCDET_VERSION_STRING "0.1.0"

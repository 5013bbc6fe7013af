# Builds the working tree that this port lies in: vcpkg install nucdet --overlay-ports=packaging/vcpkg/ports
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS FEATURES io NUCDET_IO tools NUCDET_BUILD_TOOLS)
vcpkg_cmake_configure(
  SOURCE_PATH
  "${SOURCE_PATH}"
  OPTIONS
  ${FEATURE_OPTIONS}
  -DNUCDET_C=OFF
  -DNUCDET_CUDA=OFF
  -DNUCDET_MPI=OFF
  -DNUCDET_ONNX=OFF
  -DNUCDET_OPENSLIDE=OFF
  -DNUCDET_PYTHON=OFF
  -DNUCDET_BUILD_TESTS=OFF
  -DNUCDET_BUILD_BENCH=OFF
  -DNUCDET_BUILD_EXAMPLES=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/nucdet)
vcpkg_fixup_pkgconfig()
if("tools" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES nucdet AUTO_CLEAN)
endif()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")

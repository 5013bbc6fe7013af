"""Conan 2 recipe: conan create packaging/conan --build=missing"""
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Nucdet(ConanFile):
    name = "nucdet"
    description = "Pixel-to-pixel nucleus detection in microscopy images"
    license = "Apache-2.0"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "with_io": [True, False], "with_tools": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_io": True, "with_tools": False}
    implements = ["auto_shared_fpic"]

    def _top(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._top(), "include", "nucdet", "version.hpp"))
        self.version = ".".join(re.findall(r"NUCDET_VERSION_(?:MAJOR|MINOR|PATCH) +(\d+)", text))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*", "tools/*", "models/*"):
            copy(self, pattern, self._top(), self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("nucdet is built and tested on Linux")
        if self.options.with_tools and not self.options.with_io:
            raise ConanInvalidConfiguration("the program needs with_io")
        check_min_cppstd(self, 20)

    def requirements(self):
        self.requires("eigen/3.4.0", transitive_headers=True)
        self.requires("xtensor/0.24.7", transitive_headers=True)
        if self.options.with_io:
            self.requires("libpng/[>=1.6 <2]")
            self.requires("libjpeg-turbo/[>=3.0 <4]")
            self.requires("libtiff/[>=4.5 <5]")
            self.requires("nlohmann_json/[>=3.11 <4]")
            self.requires("zlib/[>=1.2.11 <2]")
            self.requires("openjpeg/[>=2.4 <3]")
            self.requires("libwebp/[>=1.2 <2]")
            self.requires("pugixml/[>=1.12 <2]")
            self.requires("sqlite3/[>=3.40 <4]")
        if self.options.with_tools:
            self.requires("cli11/[>=2.3 <3]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["NUCDET_IO"] = bool(self.options.with_io)
        toolchain.cache_variables["NUCDET_BUILD_TOOLS"] = bool(self.options.with_tools)
        for off in ("NUCDET_C", "NUCDET_CUDA", "NUCDET_MPI", "NUCDET_ONNX", "NUCDET_OPENSLIDE", "NUCDET_PYTHON", "NUCDET_BUILD_TESTS",
                    "NUCDET_BUILD_BENCH", "NUCDET_BUILD_EXAMPLES"):
            toolchain.cache_variables[off] = "OFF"
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # nucdet's own CMake files say it all: targets, components, what they need.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "nucdet")]

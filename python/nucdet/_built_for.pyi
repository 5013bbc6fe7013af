"""Made by the build: instructions that the library uses, as /proc/cpuinfo calls them."""

INSTRUCTIONS: list[str]

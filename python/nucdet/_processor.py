"""Asked before the library is loaded, which may use instructions that a processor has not."""

from ._built_for import INSTRUCTIONS


def _flags() -> set[str]:
    """Of the first processor; none where the system does not tell."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
            for line in cpuinfo:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()


def check() -> None:
    """Raises ImportError on a processor that the library was not built for."""
    flags = _flags() if INSTRUCTIONS else set()
    missing = [name for name in INSTRUCTIONS if flags and name not in flags]
    if missing:
        raise ImportError(
            f"nucdet was built for processors with {', '.join(missing)}, which this one has not: "
            "build it with --config-settings=cmake.define.NUCDET_TOOLS_ARCH=x86-64"
        )

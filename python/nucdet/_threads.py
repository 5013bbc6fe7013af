"""How many threads compute."""


def team(caller: str, threads: int | None) -> int:
    """0, which the library takes for "as many as processors may be used", for None. Raises ValueError."""
    if threads is not None and threads < 1:
        raise ValueError(f"{caller}: threads is {threads}, must be at least 1")
    return threads or 0

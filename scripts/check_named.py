#!/usr/bin/env python3
"""Every file includes, itself or through what it includes, what it names: of the standard library and of nucdet.

Read from the text, in a second: of includes that a header needs, left out by chance, it missed one in twenty, and it finds what
only this compiler's library brings along. Compiling every public header alone takes ten minutes: scripts/test.sh --whole.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "tools/nucdet", "python/src")
NAMESPACES = "core|math|exec|cpu|ops|nn|io|data|detect|detail|label|loss|match|metrics|optim|train|slide|models"

# What a standard header is for. Names that nearly every one brings along (size_t, move, swap) are left out.
STANDARD = {
    "algorithm": """adjacent_find all_of any_of clamp copy copy_n count count_if equal fill fill_n find find_if lower_bound max
        max_element min min_element none_of pop_heap push_heap remove_if rotate sort stable_sort transform unique upper_bound""",
    "array": "array",
    "atomic": "atomic atomic_flag memory_order_acquire memory_order_relaxed memory_order_release",
    "bit": "bit_cast endian",
    "charconv": "chars_format from_chars to_chars",
    "chrono": "chrono",
    "cmath": """abs atan2 ceil cos erfc exp expm1 floor hypot isfinite isnan llround log log1p log2 lround pow round sin sqrt""",
    "concepts": "convertible_to default_initializable floating_point integral same_as",
    "condition_variable": "condition_variable",
    "cstdint": "int32_t int64_t uint16_t uint32_t uint64_t uint8_t uintptr_t",
    "cstdio": "FILE fclose ferror fread snprintf",
    "cstring": "memcpy memset",
    "deque": "deque",
    "exception": "current_exception exception_ptr rethrow_exception uncaught_exceptions",
    "filesystem": "filesystem",
    "fstream": "ifstream ofstream",
    "functional": "function",
    "iomanip": "setprecision setw",
    "limits": "numeric_limits",
    "map": "map",
    "memory": "make_shared make_unique shared_ptr unique_ptr",
    "mutex": "lock_guard mutex recursive_mutex unique_lock",
    "numbers": "numbers",
    "numeric": "accumulate gcd iota lcm",
    "optional": "nullopt optional",
    "ostream": "ostream",
    "set": "set",
    "span": "as_bytes span",
    "sstream": "istringstream ostringstream",
    "stop_token": "stop_source stop_token",
    "string": "string to_string",
    "string_view": "string_view",
    "system_error": "errc error_code generic_category system_error",
    "thread": "jthread this_thread thread",
    "tuple": "apply tie tuple",
    "type_traits": "is_arithmetic_v is_const_v is_empty_v is_same_v is_trivially_copyable_v remove_const_t remove_reference_t type_identity_t",
    "utility": "as_const exchange index_sequence make_index_sequence pair",
    "variant": "get_if holds_alternative variant visit",
    "vector": "vector",
}
FOR = {}
for header, names in STANDARD.items():
    for name in names.split():
        FOR[name] = header
# What a standard header brings by the standard's word, or by its own interface.
BRINGS = {
    "filesystem": {"string", "string_view", "chrono"}, "fstream": {"ostream", "string"}, "iomanip": {"ostream"},
    "map": {"utility"}, "memory": {"utility"}, "mutex": {"chrono"}, "condition_variable": {"mutex", "chrono"},
    "sstream": {"ostream", "string"}, "string": {"string_view"}, "thread": {"chrono", "stop_token"}, "tuple": {"utility"},
    "system_error": {"string", "string_view"}, "stdexcept": {"string", "exception"}, "concepts": {"type_traits"}, "bit": {"type_traits"},
    "variant": {"utility"}, "span": {"array", "cstddef"}, "ostream": {"string"},
}
DECLARED = re.compile(r"^(?:template <.*> *)?(?:(?:struct|class|enum class|concept|using(?!\s+namespace)(?!\s+\w+::))\s+(\w+)|"
                      r"(?:\[\[[\w:]+\]\] )?(?:inline |constexpr |const |extern |static )*[\w:]+(?:<[^;{=]*>)?[&*]? ([a-z]\w+)(?:\(| = |;|\{))", re.M)

# A name behind another word is declared there: a template's parameter, a struct within a struct.
LOCAL = re.compile(r"(?<!\w)(\w+)(?:\.\.\.|<[\w:, ]*>)? +([A-Z]\w+)\b")
KEYWORDS = set("""and case const constexpr else explicit friend inline mutable new not operator or private protected public
    requires return static throw virtual""".split())


def stripped(text):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


class File:
    def __init__(self, path):
        raw = path.read_text(encoding="utf-8")
        self.includes = {resolved(path, i) for i in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', raw, re.M)}
        self.text = stripped(re.sub(r"^\s*#\s*include.*", "", raw, flags=re.M))
        found = DECLARED.findall(self.text)
        self.types = {a for a, _ in found if a} | set(re.findall(r"^# *define (\w+)", self.text, re.M))  # and macros
        self.declares = self.types | {b for _, b in found}
        self.names = {name for before, name in LOCAL.findall(self.text) if before not in KEYWORDS}
        self.members = {name for before, name in re.findall(r"^ +(?:.*[^\w\n])?(\w+)[>&*]* (\w+)(?:\(| = \[)", self.text, re.M)
                        if before not in KEYWORDS}


def resolved(path, include):
    """A file of ours as its path, any other by its name."""
    for folder in (path.parent, *(ROOT / f for f in FOLDERS)):
        file = (folder / include).resolve()
        if file.is_file() and file.is_relative_to(ROOT):
            return file
    return include


def closure(name, seen):
    """All that a file includes, itself or through another."""
    for i in {name} | (files[name].includes if name in files else BRINGS.get(name, set())):
        if i not in seen:
            seen.add(i)
            closure(i, seen)
    return seen


def lacking(file, seen):
    """What a file names and does not include, with where it is."""
    for symbol in sorted(set(re.findall(r"\bstd::(\w+)", file.text)) & FOR.keys()):
        if FOR[symbol] not in seen:
            yield f"std::{symbol}", [f"<{FOR[symbol]}>"]
    # A type anywhere; a function or constant where its namespace is said, or where nothing else has its name.
    used = set(re.findall(r"\b[A-Z]\w*|(?<!::)\b[a-z]\w*(?=[ <>&*(])", file.text)) & types
    used = used.difference(*(files[i].names for i in seen if i in files))
    used |= set(re.findall(rf"\b(?:{NAMESPACES})::([a-z]\w+)", file.text))
    parameters = set(re.findall(r"[\w>&*] (\w+)[,)]", file.text))
    used |= set(re.findall(r"(?<![.>:\w])([a-z]\w+)\(", file.text)) - members - file.names - parameters
    for symbol in sorted((used & ours.keys()) - file.declares):
        if not ours[symbol] & seen:
            yield symbol, sorted(i.relative_to(ROOT).as_posix() for i in ours[symbol])


files = {p: File(p) for f in FOLDERS for p in sorted((ROOT / f).rglob("*.[ch]pp"))}
ours = {}
for path, file in files.items():
    if path.suffix == ".hpp":
        for name in file.declares:
            ours.setdefault(name, set()).add(path)
members = set().union(*(f.members for f in files.values()))
types = set().union(*(f.types for p, f in files.items() if p.suffix == ".hpp"))
# src/cpu/isa: parts of one text, which each instruction set reads once.
wrong = [f"{path.relative_to(ROOT)}: {symbol}, but not {', '.join(where)}"
         for path, file in files.items() if path.parent.name != "isa" for symbol, where in lacking(file, closure(path, set()))]
print("\n".join(wrong) or f"{len(files)} files include what they name")
sys.exit(bool(wrong))

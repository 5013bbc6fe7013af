#!/usr/bin/env python3
"""Every public header includes, itself or through what it includes, what it names: of the standard library and of nucdet.

Read from the text, in a second: of includes that a header needs, left out by chance, it missed one in twenty, and it finds what
only this compiler's library brings along. Compiling every header alone takes ten minutes: scripts/test.sh --whole.
"""
import pathlib
import re
import sys

INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"

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
        FOR[name] = {header}
# What one standard header brings by the standard's word, or by its own interface.
BRINGS = {
    "filesystem": {"string", "string_view", "chrono"}, "fstream": {"ostream", "string"}, "iomanip": {"ostream"},
    "map": {"utility"}, "memory": {"utility"}, "mutex": {"chrono"}, "condition_variable": {"mutex", "chrono"},
    "sstream": {"ostream", "string"}, "string": {"string_view"}, "thread": {"chrono", "stop_token"}, "tuple": {"utility"},
    "system_error": {"string", "string_view"}, "stdexcept": {"string", "exception"}, "concepts": {"type_traits"}, "bit": {"type_traits"},
    "variant": {"utility"}, "span": {"array", "cstddef"}, "ostream": {"string"},
}
DECLARED = re.compile(r"^(?:template <.*> *)?(?:(?:struct|class|enum class|concept|using(?!\s+namespace)(?!\s+\w+::))\s+(\w+)|"
                      r"(?:\[\[nodiscard\]\] )?(?:inline |constexpr |const |extern |static )*[\w:]+(?:<[^;{=]*>)?[&*]? ([a-z]\w+)(?:\(| = |;|\{))", re.M)

# A name behind another word is declared there: a template's parameter, a struct within a struct.
LOCAL = re.compile(r"(?<!\w)(\w+)(?:\.\.\.|<[\w:, ]*>)? +([A-Z]\w+)\b")
KEYWORDS = set("""and case const constexpr else explicit friend inline mutable new not operator or private protected public
    requires return static throw virtual""".split())


def stripped(text):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


class Header:
    def __init__(self, path):
        raw = path.read_text(encoding="utf-8")
        self.includes = set(re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', raw, re.M))
        self.text = stripped(re.sub(r"^\s*#\s*include.*", "", raw, flags=re.M))
        found = DECLARED.findall(self.text)
        self.types = {a for a, _ in found if a} | set(re.findall(r"^# *define (\w+)", self.text, re.M))  # and macros
        self.declares = self.types | {b for _, b in found}
        self.names = {name for before, name in LOCAL.findall(self.text) if before not in KEYWORDS}
        self.members = {name for before, name in re.findall(r"^ +(?:.*[^\w\n])?(\w+)[>&*]* (\w+)(?:\(| = \[)", self.text, re.M)
                        if before not in KEYWORDS}


def closure(name, headers, seen):
    """All that a header includes, itself or through another."""
    for i in {name} | (headers[name].includes if name in headers else BRINGS.get(name, set())):
        if i not in seen:
            seen.add(i)
            closure(i, headers, seen)
    return seen


headers = {p.relative_to(INCLUDE).as_posix(): Header(p) for p in sorted(INCLUDE.rglob("*.hpp"))}
ours = {}
for name, header in headers.items():
    for d in header.declares:
        ours.setdefault(d, set()).add(name)
members = set().union(*(h.members for h in headers.values()))
types = set().union(*(h.types for h in headers.values()))
wrong = []
for name, header in headers.items():
    seen = closure(name, headers, set())
    for symbol in sorted(set(re.findall(r"\bstd::(\w+)", header.text))):
        if symbol in FOR and not FOR[symbol] & seen:
            wrong.append(f"{name}: std::{symbol}, but not <{', '.join(FOR[symbol])}>")
    # A type anywhere; a function or constant where its namespace is said.
    used = set(re.findall(r"\b[A-Z]\w*|(?<!::)\b[a-z]\w*(?=[ <>&*(])", header.text)) & types
    used = used.difference(*(headers[h].names for h in seen if h in headers))
    used |= set(re.findall(r"\b(?:core|math|exec|cpu|ops|nn|io|data|detect|detail|label|loss|match|metrics|optim|train|slide|models)::([a-z]\w+)", header.text))
    used |= set(re.findall(r"(?<![.>:\w])([a-z]\w+)\(", header.text)) - members - header.names - set(re.findall(r"[\w>&*] (\w+)[,)]", header.text))
    for symbol in sorted(used & ours.keys()):
        if not ours[symbol] & seen:
            wrong.append(f"{name}: {symbol}, but not {', '.join(sorted(ours[symbol]))}")
print("\n".join(wrong) or f"{len(headers)} headers include what they name")
sys.exit(bool(wrong))

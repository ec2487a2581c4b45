#!/usr/bin/env python3
"""Usage: house.py [--self-test] [ROOT]

Checks rules for sizes, names, the places of declarations, the handling of errors, and
unused code. Prints each finding as file:line, the error, and the remedy, and fails if
there is a finding. An exception that no file needs is a finding too.

The parser relies on the kernel's style: the body of a function begins and ends with a
brace in the first column.
"""
import os
import re
import sys
import tempfile

MAX_SOURCE = 550
MAX_HEADER = 200
MAX_TEST = 600
MAX_FUNCTION = 45

# Programs in this folder run in the guest, those in its folder host/ do not.
USER_TESTS = "initramfs/tests"

# The name of a global function may begin with the stem of its file (frames.c: tmm_frame,
# tmm_frames), with the first words of that stem if a file has them as its name (frames_split.c:
# tmm_frames), with the name of its folder, or with one of these nouns of its folder. Each noun has
# its reason beside it. An exported function is exempt: the public header decides its name.
NOUNS = {
    "theseus_mm/core": {
        "vaddr": "a value of page.h and address.h", "paddr": "a value of page.h and address.h",
        "page": "a value of page.h and address.h", "frame": "a value of page.h and address.h",
        "pte": "the subject of pte_flags.h: the bits of an entry",
    },
    "theseus_mm/alloc": {
        "allocated_frames": "a state of frames has a type, whose name the public header decides",
        "mapped_frames": "a state of frames has a type, whose name the public header decides",
        "allocated_pages": "the public header decides the name of the type",
        "request": "makes a struct tmm_allocation_request; public, as inline functions",
        "chunk": "the run that free_ranges.h keeps and all higher layers use",
    },
    "theseus_mm/paging": {
        "private": "the range of pages of a root; public, as inline functions",
    },
    "theseus_mm/mapping": {
        "instance": "the form of a public function that takes an instance",
    },
    "theseus_mm/device": {},
    "theseus_mm/device/call": {
        "ioctl": "a call is tmm_ioctl_<CALL>, in the file of its subject",
        "export": "an operation of files of exported mappings",
        "lending": "an operation of descriptors that lend",
    },
    "theseus_mm/device/show": {
        "export": "an operation of files of exported mappings",
        "lending": "an operation of descriptors that lend",
        "show": "the operation of files that writes fdinfo",
    },
}

# Exceptions from the rules: (rule, file, name or "" for the whole file): the reason.
EXCEPTIONS = {
    ("size", "theseus_mm/core/range.h", ""):
        "public: one macro makes each function for pages and for frames",
    ("size", "initramfs/lib/libtmm/tmm.h", ""):
        "public: the manual of the library",
    ("prototype", "theseus_mm/device/call/call.h", ""):
        "the functions of all calls, one a line, for the one table in dispatch.c",
}


class Function:
    def __init__(self, name, line, is_static, is_inline, lines):
        self.name, self.line = name, line
        self.is_static, self.is_inline, self.lines = is_static, is_inline, lines


def blank(text, keep_strings=False):
    """Replaces comments (and strings) by as many spaces, so that positions stay the same."""
    def spaces(match):
        token = match.group(0)
        if keep_strings and token[0] in "\"'":
            return token
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  spaces, text, flags=re.S)


class Source:
    """A parsed file."""

    def __init__(self, root, path):
        self.path, self.folder = path, os.path.dirname(path)
        self.stem = os.path.basename(path)[:-2]
        self.is_header = path.endswith(".h")
        with open(os.path.join(root, path), encoding="utf-8") as file:
            self.text = file.read()
        self.lines = self.text.splitlines()
        self.code = blank(self.text)
        # preprocessor lines declare no functions
        self.plain = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                            lambda m: re.sub(r"[^\n]", " ", m.group(0)), self.code, flags=re.M)
        self.words = set(re.findall(r"\b[A-Za-z_]\w*", self.code))
        self.exports = set(re.findall(r"^EXPORT_SYMBOL_TMM\((\w+)\)", self.code, re.M))
        self.kunit_exports = set(re.findall(r"^EXPORT_SYMBOL_IF_KUNIT\((\w+)\)", self.code, re.M))
        self.functions, self.prototypes, self.types, self.rest = [], [], [], ""
        self._parse()

    def _parse(self):
        """Splits the text into functions, prototypes and the rest."""
        start, depth, pieces = 0, 0, []
        begin = 0
        for match in re.finditer(r"[{};]", self.plain):
            char = match.group(0)
            if char == "{":
                if not depth:
                    begin = match.start()
                depth += 1
            elif char == "}":
                depth -= 1
                if not depth and self.plain[begin - 1:begin + 1] == "\n{":
                    pieces.append((start, begin, match.end()))
                    start = match.end()
            elif not depth:
                pieces.append((start, match.end(), match.end()))
                start = match.end()
        rest = []
        for first, body, end in pieces:
            self._piece(first, body, end, rest)
        rest.append(self.plain[start:])
        self.rest = "".join(rest)

    def _piece(self, first, body, end, rest):
        head = self.plain[first:body]
        # a piece may also be a macro, such as EXPORT_SYMBOL(x);
        name = None
        bare = re.sub(r"__attribute__\s*\(\(.*?\)\)|\b__\w+\([^()]*\)", " ", head)
        flat = re.sub(r"\{.*\}", "", bare, flags=re.S)
        if "=" not in flat and not re.search(r"\btypedef\b", flat):
            match = re.search(r"\b([a-z_]\w*)\s*\(", flat)
            if match and re.search(r"\w[\s*]+$", flat[:match.start()]):
                name = match.group(1)
        line = self.plain.count("\n", 0, first + len(head) - len(head.lstrip())) + 1
        is_body = end > body
        if name and is_body:
            last = self.plain.count("\n", 0, end) + 1
            opening = self.plain.count("\n", 0, body) + 1
            self.functions.append(Function(name, line, bool(re.search(r"\bstatic\b", flat)),
                                           bool(re.search(r"\binline\b", flat)),
                                           last - opening - 1))
            self.functions[-1].body = self.plain[body:end]
            return
        if name and not re.search(r"\bstatic\b", flat):
            self.prototypes.append((name, line))
            return
        rest.append(self.plain[first:end])


class Symbols:
    """The version script of a library: which names programs see, and in which line."""

    def __init__(self, root, path):
        self.path, self.lines = path, {}
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = re.fullmatch(r"\s+(\w+);\n", line)
                if match:
                    self.lines[match.group(1)] = number


def sources(root, folder):
    found = []
    for directory, _, names in os.walk(os.path.join(root, folder)):
        for name in names:
            if name.endswith((".c", ".h")):
                found.append(os.path.relpath(os.path.join(directory, name), root))
    return [Source(root, path) for path in sorted(found)]


def is_public(path):
    return "/include/" in path


class House:
    """All files, and the findings about them."""

    def __init__(self, root, exceptions=None, nouns=None):
        self.exceptions = EXCEPTIONS if exceptions is None else exceptions
        self.nouns = NOUNS if nouns is None else nouns
        self.used = set()
        self.findings = []
        self.module = sources(root, "theseus_mm")
        self.tests = sources(root, "kunit") + sources(root, "bench")
        self.user = sources(root, "initramfs")
        self.libtmm = Symbols(root, "initramfs/lib/libtmm/libtmm.map")
        self.by_path = {source.path: source for source in self.module + self.tests}
        self.exports = set().union(*(source.exports for source in self.module))
        # other modules may use the types of headers that they can include
        public = set()
        todo = [source for source in self.module
                if source.path.endswith("include/linux/theseus_mm.h")]
        while todo:
            source = todo.pop()
            for name in re.findall(r'^#include "([^"]*)"', source.text, re.M):
                other = self.by_path.get("theseus_mm/" + name)
                if other and other not in public:
                    public.add(other)
                    todo.append(other)
        self.public_types = set().union(
            *(re.findall(r"^(?:struct|enum|union) (\w+)", source.code, re.M) for source in public))
        # name of a global function -> where it is defined
        self.defined = {}
        for source in self.module + self.tests:
            for function in source.functions:
                if not function.is_static:
                    self.defined[function.name] = source

    def report(self, rule, source, line, name, wrong, remedy):
        for key in ((rule, source.path, name), (rule, source.path, "")):
            if key in self.exceptions:
                self.used.add(key)
                return
        self.findings.append((source.path, line, rule, wrong, remedy))

    def check(self):
        for rule in RULES:
            rule(self)
        for key in self.exceptions:
            if key not in self.used:
                self.findings.append(("scripts/house.py", 1, "exceptions",
                                      f"nothing needs the exception {key} any more",
                                      "remove its row"))
        return sorted(self.findings)


def check_sizes(house):
    """Checks the length of files and functions."""
    for source in house.module + house.tests + house.user:
        limit = MAX_HEADER if source.is_header else MAX_SOURCE
        if source in house.tests or source.path.startswith(USER_TESTS):
            limit = MAX_TEST
        if len(source.lines) > limit and not is_public(source.path):
            house.report("size", source, len(source.lines), "",
                         f"{len(source.lines)} lines, more than {limit}",
                         "split it by subject")
        for function in source.functions:
            if function.lines > MAX_FUNCTION:
                house.report("size", source, function.line, function.name,
                             f"{function.name}() has {function.lines} lines, "
                             f"more than {MAX_FUNCTION}",
                             "move a step to a function of its own")


def find_circle(edges):
    """Returns one circle of a graph as a list of its nodes, or None."""
    state, path = {}, []

    def visit(node):
        state[node] = 1
        path.append(node)
        for other in sorted(edges.get(node, ())):
            if state.get(other) == 1:
                return path[path.index(other):] + [other]
            if other not in state:
                circle = visit(other)
                if circle:
                    return circle
        path.pop()
        state[node] = 2
        return None

    for node in sorted(edges):
        if node not in state:
            circle = visit(node)
            if circle:
                return circle
    return None


def check_circles(house):
    """Files of a folder must not call each other in a circle."""
    folders = {}
    for source in house.module + house.tests:
        if source.is_header:
            continue
        for name in source.words:
            target = house.defined.get(name)
            if target and target is not source and target.folder == source.folder:
                edges = folders.setdefault(source.folder, {})
                edges.setdefault(source.path, set()).add(target.path)
    for edges in folders.values():
        while True:
            circle = find_circle(edges)
            if not circle:
                break
            first, second = circle[0], circle[1]
            names = ", ".join(sorted(name for name in house.by_path[first].words
                                     if house.defined.get(name) is house.by_path[second]))
            house.report("circle", house.by_path[first], 1, os.path.basename(second),
                         "circle: " + " -> ".join(os.path.basename(path) for path in circle)
                         + f" (by {names})",
                         "move the functions that both need to a third file")
            edges[first].discard(second)


def singular_and_plural(noun):
    return {noun, noun.rstrip("s"), re.sub(r"y$", "ies", noun)}


def prefixes(house, source):
    """Returns the allowed beginnings of the names of a file's functions."""
    found = {os.path.basename(source.folder)} | singular_and_plural(source.stem)
    parts = source.stem.split("_")
    for n in range(1, len(parts)):
        part = "_".join(parts[:n])
        if f"{source.folder}/{part}.c" in house.by_path:
            found |= singular_and_plural(part)
    return found | set(house.nouns.get(source.folder, {}))


def check_names(house):
    """The name of a function tells its file or folder."""
    for source in house.module:
        nouns = prefixes(house, source)
        members = set(re.findall(r"\.\w+\s*=\s*&?(\w+)\b", source.code))
        for function in source.functions:
            name = function.name
            if function.is_static and not source.is_header:
                if "_" not in name and name not in members:
                    house.report("name", source, function.line, name,
                                 f"{name}(), a static function, is one word",
                                 "add the noun: <verb>_<noun>()")
                continue
            if (name in house.exports or is_public(source.path) or
                    name in ("init_module", "cleanup_module")):
                continue
            if not re.match("tmm_(%s)(_|s_|$)" % "|".join(map(re.escape, sorted(nouns))), name):
                house.report("name", source, function.line, name,
                             f"{name}() begins neither with tmm_{source.stem} nor with a noun "
                             "of its folder",
                             "rename it, or move it to the file of its subject")


def check_headers(house):
    """A prototype is in the header of its file; a .c file has a header or a comment."""
    for source in house.module:
        for name, line in source.prototypes:
            home = house.defined.get(name)
            if not home or is_public(source.path):
                continue
            if not source.is_header:
                house.report("prototype", source, line, name,
                             f"a prototype of {name}() in a .c file",
                             "include the header of the file that defines it")
            elif (source.folder, source.stem) != (home.folder, home.stem):
                house.report("prototype", source, line, name,
                             f"{name}() is defined in {home.path}",
                             f"declare it in {home.path[:-2]}.h")
        if source.is_header or source.path[:-2] + ".h" in house.by_path:
            continue
        head = "\n".join(source.lines[:3])
        if "/*" not in head:
            house.report("header", source, 1, "",
                         "has neither a header of its own nor a comment at its top",
                         "name its subject in a comment at the top")


def check_docs(house):
    """Only functions and types that other modules may use have kernel-doc."""
    for source in house.module:
        if is_public(source.path):
            continue
        for match in re.finditer(r"^[ \t]*/\*\*\n[ \t]*\* (?:(struct|enum|union|typedef) )?(\w+)",
                                 source.text, re.M):
            kind, name = match.groups()
            if name in house.exports or (kind and name in house.public_types):
                continue
            house.report("kernel-doc", source, source.text.count("\n", 0, match.start()) + 1, name,
                         f"kernel-doc of {name}, which no other module may use",
                         "make it a plain comment (/*) of one or two sentences")


def check_errors(house):
    """A function ends at an error: by a return, or by a goto to the code that undoes things."""
    for source in house.module:
        for function in source.functions:
            for pattern, allowed, wrong, remedy in LADDERS:
                if len(re.findall(pattern, function.body)) > allowed:
                    house.report("error", source, function.line, function.name,
                                 f"{function.name}() {wrong}", remedy)


# the names of the variable in which a function keeps its error
ERR = r"(?:err|error|ret)"
LADDERS = (
    (rf"\bif \(!{ERR}\b[^;{{}}]*\)\s*{ERR} = ", 1, "has a ladder of if (!err) err = ...",
     "check each step: if (err) return err; or goto"),
    (rf"\bif \(!{ERR}\b[^;{{}}]*\)\s*\{{", 0, "goes on in a block of if (!err)",
     "check for the error: if (err) return err; or goto"),
    (rf"\bint (?:[^;=]*, )?{ERR} = \w+\([^;]*;(?=[^}}]*\n\tif \(!?{ERR}\b)", 0,
     "checks a call that initialises err", "declare err, then assign it beside its check"),
)


def check_places(house):
    """Checks macros that only one file may use."""
    for source in house.module + house.tests:
        for pattern, place, wrong, remedy in PLACES:
            if source.path in place or (source in house.tests and "module_param" in pattern):
                continue
            for match in re.finditer(pattern, source.code, re.M):
                house.report("place", source, source.code.count("\n", 0, match.start()) + 1,
                             match.group(0).strip(), wrong, remedy)


PLACES = (
    (r"^module_param\w*\(", ("theseus_mm/main.c",),
     "a module parameter outside of main.c", "declare it there, and pass the value on"),
    (r"\bLINUX_VERSION_CODE\b", ("theseus_mm/core/compat.h", "theseus_mm/core/compat.c"),
     "a use of the kernel's version", "put code that depends on the version into core/compat.h"),
    (r"^EXPORT_SYMBOL(_GPL|_NS|_NS_GPL)?\(", ("theseus_mm/core/compat.h",),
     "an export outside of the namespace", "use EXPORT_SYMBOL_TMM(), or EXPORT_SYMBOL_IF_KUNIT()"),
)


def made_by_macros(house):
    """Returns a pattern of names that macros build: DEFINE_SHOW_ATTRIBUTE(x), tmm_##x##_y."""
    patterns = []
    for source in house.module + house.tests:
        for name in re.findall(r"\b[A-Z_]*ATTR[A-Z_]*\((\w+)", source.code):
            patterns.append(f"{name}_(show|store)")
        parameters = set(re.findall(r"\w+", " ".join(re.findall(
            r"#[ \t]*define \w+\(([^)]*)\)", source.code))))
        for joined in re.findall(r"\w+(?:[ \t]*##[ \t]*\w+)+", source.code):
            parts = re.split(r"[ \t]*##[ \t]*", joined)
            parts = [r"[a-z0-9]+" if part in parameters else part for part in parts]
            if re.search("_[a-z]", "".join(parts)):
                patterns.append("".join(parts))
    return re.compile("|".join(patterns) or "$.")


def check_used(house):
    """All functions, prototypes and types are used."""
    counts = {}
    made = made_by_macros(house)
    for source in house.module + house.tests:
        for word in re.findall(r"\b[A-Za-z_]\w*", source.code):
            counts[word] = counts.get(word, 0) + 1
    for source in house.module:
        if is_public(source.path):
            continue
        exported = source.exports | source.kunit_exports
        for function in source.functions:
            name = function.name
            declared = 1 + (name in exported) + sum(
                name == other for place in house.module for other, _ in place.prototypes)
            if counts[name] <= declared and not made.fullmatch(name):
                house.report("unused", source, function.line, name,
                             f"nobody calls {name}()", "remove it")
        for name, line in source.prototypes:
            if name not in house.defined and counts[name] == 1:
                house.report("unused", source, line, name,
                             f"nobody defines or calls {name}()", "remove the prototype")
        for match in re.finditer(r"^(?:typedef )?(struct|enum|union) (\w+)\s*\{", source.code,
                                 re.M):
            if counts[match.group(2)] == 1:
                house.report("unused", source, source.code.count("\n", 0, match.start()) + 1,
                             match.group(2), f"nobody uses {match.group(1)} {match.group(2)}",
                             "remove it")


def check_library(house):
    """Each function of the library is called in a test that runs in the guest."""
    called = set()
    for source in house.user:
        if source.folder == USER_TESTS:
            called |= set(re.findall(r"\b(\w+)\s*\(", source.code))
    for name, line in house.libtmm.lines.items():
        if name not in called:
            house.report("library", house.libtmm, line, name,
                         f"no test in the guest calls {name}()",
                         f"add a case to {USER_TESTS}/lib_*_test.c that asserts its results")


LOCK_TEST = "initramfs/tests/lock_count_test.c"
LOCKS = re.compile(r"\b(spin_lock_init|mutex_init|rwlock_init|init_rwsem|init_waitqueue_head|"
                   r"DEFINE_SPINLOCK|DEFINE_MUTEX|DEFINE_RWLOCK|DECLARE_RWSEM|"
                   r"DECLARE_WAIT_QUEUE_HEAD)\(([^)]+)\)")


def check_locks(house):
    """The test that looks for shared locks knows each lock of the module."""
    known = "".join(source.text for source in house.user if source.path == LOCK_TEST)
    for source in house.module:
        for match in LOCKS.finditer(source.code):
            name = match[2] + (".lock" if match[1] == "DECLARE_WAIT_QUEUE_HEAD" else "")
            if f'"{name}"' not in known:
                house.report("locks", source, source.code.count("\n", 0, match.start()) + 1, name,
                             f"{LOCK_TEST} does not know the lock {name}",
                             "add the lock to the names there")


RULES = (check_sizes, check_circles, check_names, check_headers, check_docs, check_errors,
         check_places, check_used, check_library, check_locks)


# Files that break a rule, and a part of the expected message.
BAD = {
    "theseus_mm/alloc/long.c": ("/* c */\n" + "\n" * MAX_SOURCE, "lines, more than"),
    "theseus_mm/alloc/wide.h": ("/* c */\n" + "\n" * MAX_HEADER, "lines, more than"),
    "theseus_mm/alloc/body.c": (
        "/* c */\nint tmm_body_a(void)\n{\n" + "\tx = tmm_body_a;\n" * (MAX_FUNCTION + 1) + "}\n",
        "tmm_body_a() has"),
    "theseus_mm/alloc/one.c": (
        "/* c */\nint tmm_one_a(void)\n{\n\treturn tmm_two_a();\n}\n", "circle: one.c -> two.c"),
    "theseus_mm/alloc/two.c": (
        "/* c */\nint tmm_two_a(void)\n{\n\treturn tmm_one_a();\n}\n", ""),
    "theseus_mm/alloc/three.c": (
        "/* c */\nint tmm_other_a(void)\n{\n\treturn tmm_other_a;\n}\n", "begins neither"),
    "theseus_mm/alloc/four.c": (
        "/* c */\nstatic int put(int a)\n{\n\treturn put(a);\n}\n", "put(), a static function"),
    "theseus_mm/alloc/five.c": ("int x;\n", "neither a header"),
    "theseus_mm/alloc/six.h": ("int tmm_one_a(void);\n", "tmm_one_a() is defined in"),
    "theseus_mm/alloc/seven.h": ("/**\n * struct tm - a thing\n */\nstruct tm *tm_a;\n",
                                "kernel-doc of tm"),
    "theseus_mm/alloc/eight.c": ("/* c */\nmodule_param(x, int, 0);\n", "module parameter"),
    "theseus_mm/alloc/nine.c": ("/* c */\nEXPORT_SYMBOL_GPL(x);\n", "outside of the namespace"),
    "theseus_mm/alloc/ten.c": ("/* c */\n#if LINUX_VERSION_CODE\n#endif\n", "version"),
    "theseus_mm/alloc/eleven.c": ("/* c */\nvoid tmm_eleven_a(void)\n{\n}\n",
                                  "nobody calls tmm_eleven_a()"),
    "theseus_mm/alloc/twelve.h": ("enum twelve {\n\tA,\n};\n", "nobody uses enum twelve"),
    "theseus_mm/alloc/thirteen.h": ("void tmm_thirteen_a(void);\n", "nobody defines or calls"),
    "theseus_mm/kernel/fourteen.c": (
        "/* c */\nint tmm_fourteen_a(int err)\n{\n" + "\tif (!err)\n\t\terr = b();\n" * 2 +
        "\treturn tmm_fourteen_a(err);\n}\n", "has a ladder"),
    "theseus_mm/kernel/fifteen.c": (
        "/* c */\nint tmm_fifteen_a(int err)\n{\n\tif (!err && x()) {\n\t\ty();\n\t}\n"
        "\treturn tmm_fifteen_a(err);\n}\n", "goes on in a block"),
    "theseus_mm/kernel/sixteen.c": (
        "/* c */\nint tmm_sixteen_a(void)\n{\n\tint err = b();\n\n\tif (err)\n\t\treturn err;\n"
        "\treturn tmm_sixteen_a();\n}\n", "a call that initialises err"),
    "theseus_mm/alloc/seventeen.c": ("/* c */\nstatic DEFINE_MUTEX(seventeen);\n",
                                     "does not know the lock seventeen"),
    "theseus_mm/alloc/eighteen.c": (
        "/* c */\nvoid tmm_eighteen_a(struct a *a)\n{\n\tspin_lock_init(&a->lock);\n"
        "\ttmm_eighteen_a(a);\n}\n", "does not know the lock &a->lock"),
    "initramfs/bin/tmm/long.c": ("\n" * (MAX_SOURCE + 1), "lines, more than"),
    "initramfs/tests/long_test.c": ("\n" * (MAX_TEST + 1), "lines, more than"),
    "initramfs/lib/libtmm/libtmm.map": (
        "LIBTMM_0 {\nglobal:\n\ttmm_called;\n\ttmm_named;\nlocal:\n\t*;\n};\n",
        "no test in the guest calls tmm_named()"),
}
# Files that break no rule, although they look like it.
GOOD = {
    "theseus_mm/core/good.h": "int tmm_good_all(void);\n",
    "theseus_mm/core/good.c": """/* c */
/* put(), and a module_param(x) in a comment */
static DEFINE_SPINLOCK(good);

static int open(void)
{
	return 0;
}

static const struct ops ops = { .open = open };

/**
 * tmm_odd_name() - exported
 */
int tmm_odd_name(void)
{
	return tmm_good_all() + ops.open();
}
EXPORT_SYMBOL_TMM(tmm_odd_name);

int tmm_good_all(void)
{
	int err = -EINVAL;

	if (!err)
		err = tmm_odd_name();
	if (!err)
		ops.open();
	return err ? err : "EXPORT_SYMBOL_GPL(x)" != 0;
}
""",
    "initramfs/tests/lib_test.c":
        '/* tmm_named() */\nTEST_F(a, b)\n{\n\ttmm_called("tmm_named()");\n}\n',
    "initramfs/tests/lock_count_test.c": 'x = "good";\n',
    "initramfs/tests/host/lib_test.c": "int x = tmm_named();\n" + "\n" * MAX_SOURCE,
    "kunit/core/user_test.c": "int x = tmm_odd_name() + tmm_odd_name() + tmm_one_a();\n",
}


def self_test():
    """Checks that the rules find each file of BAD and no file of GOOD."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in [(path, bad[0]) for path, bad in BAD.items()] + list(GOOD.items()):
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        exceptions = {("size", "theseus_mm/alloc/gone.c", ""): "a file that is not there"}
        findings = House(root, exceptions, {}).check()
    wrong = []
    for path, (_, words) in BAD.items():
        told = [finding for finding in findings if finding[0] == path]
        if words and (len(told) != 1 or words not in told[0][3]):
            wrong.append(f"{path}: wanted '{words}', got {told}")
    wrong += [f"{finding}: a finding where nothing is wrong" for finding in findings
              if finding[0] in GOOD]
    if not any("nothing needs" in finding[3] for finding in findings):
        wrong.append("an exception that nothing needs is not found")
    for line in wrong:
        print(f"house.py --self-test: {line}")
    return not wrong


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        return 0 if self_test() else 1
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    findings = House(os.path.normpath(root)).check()
    for path, line, _, wrong, remedy in findings:
        print(f"{path}:{line}: {wrong}: {remedy}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

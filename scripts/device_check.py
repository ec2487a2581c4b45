# SPDX-License-Identifier: GPL-2.0
"""The check of device_page.py, which compares theseus_mm(4) with the sources in both directions."""
import re

# Errors in device/call/ that no call returns to a program, each with the reason.
NO_ERROR_OF_A_CALL = {
    "EFBIG",  # a device that attaches to a dma-buf gets it
}
# A batch fails with the error of an item, to which the page leaves a sentence.
ERRORS_OF_ITEMS = {"CREATE_BATCH", "DROP_BATCH"}


def compare(what, source, page):
    for name in sorted(set(source) - set(page)):
        yield f"{what} {name}: the page does not have it"
    for name in sorted(set(page) - set(source)):
        yield f"{what} {name}: the sources do not have it"
    for name in sorted({name for name in page if list(page).count(name) > 1}):
        yield f"{what} {name}: the page has it twice"


def check_parameters(sources, page):
    main = sources["main"]
    modes = dict(re.findall(r"^module_param(?:_cb)?\((\w+), .*?, (0\d+)\);", main, re.M))
    limit_mode = re.search(r"module_param_cb\(name, .*?, (0\d+)\)", main).group(1)
    modes.pop("name", None)
    modes.update((name, limit_mode) for name in re.findall(r"^MAX_PARAM\((\w+),", main, re.M))
    yield from compare("parameter", modes, page.names["parameter"])
    defaults = dict(re.findall(r'MODULE_PARM_DESC\((\w+),\s*"[^"]*\(default (unlimited|\d+)\)"', main))
    for part in sources["template"].split("@parameter ")[1:]:
        name = re.match(r"\w+", part).group(0)
        if name in defaults and f"Default: {defaults[name]}." not in part:
            yield f"parameter {name}: the page does not have the default {defaults[name]}"
        mode = re.search(r"[Mm]ode (0\d+)", part)
        if name in modes and (not mode or mode.group(1) != modes[name]):
            yield f"parameter {name}: the page does not say mode {modes[name]}"
        for word in ("Unit:", "Range:", "Default:", "Example:"):
            if word not in part.split(".El")[0]:
                yield f"parameter {name}: the page has no \"{word}\""


def check_sysfs(sources, page):
    files = re.findall(r"^static DEVICE_ATTR_\w+\((\w+)\);", sources["sysfs"], re.M)
    yield from compare("sysfs file", files, page.names["sysfs"])
    admin = set(re.findall(r"^static DEVICE_ATTR_ADMIN_RO\((\w+)\);", sources["sysfs"], re.M))
    for part in sources["template"].split("@sysfs ")[1:]:
        name = re.match(r"\w+", part).group(0)
        if ("0400" in part.split("@")[0]) != (name in admin):
            yield f"sysfs file {name}: the page has the wrong mode"


def check_struct(header, name):
    fields = [field for field, _ in header.fields_of(name)[0]]
    yield from compare(f"field of {name}", header.structs[name][1], fields)


def check_defines(header, page, text):
    # the comment before the number of the calls is for maintainers
    for name in re.findall(r"^(?:/\*.*| )\*/\n#define THESEUS_MM_(\w+)", header.text, re.M):
        if name in header.defines and name != "IOC_MAGIC" and not header.defines[name][1]:
            yield f"definition THESEUS_MM_{name}: the page lacks the comment before it"
    for name in header.defines:
        if not name.endswith("_FLAGS_ALL") and not re.search(rf"\bTHESEUS_MM_{name}\b", text):
            yield f"definition THESEUS_MM_{name}: the page does not have it"
    known = {f"THESEUS_MM_{name}" for name in header.defines}
    known |= {f"THESEUS_MM_IOC_{name}" for name in header.calls}
    for name in sorted(set(re.findall(r"\bTHESEUS_MM_[A-Z0-9_]+\b(?!\*)", text))):
        if name not in known and not name.endswith("_"):
            yield f"definition {name}: the header does not have it"


def check_tested_errors(sources, page):
    """Each error that a test expects of a call is one of the errors of that call."""
    calls = {}
    for wrapper, body in re.findall(r"^static inline int uapi_(\w+)\(.*?^\{\n(.*?)^\}",
                                    sources["tests"], re.S | re.M):
        calls[wrapper] = re.findall(r"THESEUS_MM_IOC_(\w+)", body)
    calls["export"] = calls["export_as"]
    tested = re.findall(r"(?:_REFUSED\(|_EQ\(-|EXPECT_(?=EDQUOT))(E[A-Z]+)[,(]\s*uapi_(\w+)\(",
                        sources["tests"])
    for error, wrapper in sorted(set(tested)):
        for call in set(calls.get(wrapper, ())) - ERRORS_OF_ITEMS:
            if error not in page.errors_of[call]:
                yield f"error {error} of {call}: a test expects it, and the page does not have it"


def findings(sources, page):
    """Yield a sentence for each difference between the sources and a Page of theirs."""
    header = page.header
    text = "\n".join(page.lines)
    yield from compare("call", header.calls, page.names["calls"])
    yield from compare("call", header.calls, page.rights)
    yield from compare("example of", header.calls, page.names["example"])
    yield from compare("structure", header.structs, page.names["struct"])
    for name in header.structs:
        yield from check_struct(header, name)
    yield from check_defines(header, page, text)
    yield from compare("section", header.sections, page.names["section"])
    returned = set(re.findall(r"-(E[A-Z0-9]+)\b", sources["calls"])) - NO_ERROR_OF_A_CALL
    for name in sorted(returned - set(header.errors)):
        yield f"error {name}: the header's table does not have it"
    for name in sorted(set(page.names["error"]) - set(header.errors)):
        yield f"error {name}: the header's table does not have it, but the page has"
    # each of these errors is one that every call can return
    for name in sorted(set(header.errors) - set(page.names["error"]) - {"ENOTTY", "E2BIG"}):
        yield f"error {name}: the page has it at no call"
    yield from check_tested_errors(sources, page)
    yield from check_parameters(sources, page)
    yield from check_sysfs(sources, page)
    yield from compare("debugfs file", re.findall(
        r'debugfs_create_file\("(\w+)"', sources["debugfs"]), page.names["debugfs"])
    keys = re.findall(r'"theseus_mm-([a-z-]+):', sources["fdinfo"])
    keys += re.findall(r'show_limited\(m, "([a-z-]+)"', sources["fdinfo"])
    keys += [one for key in re.findall(r'show_sum\(m, "([a-z-]+)"', sources["fdinfo"])
             for one in (key, f"size-{key}")]
    keys += [f"size-{key}" for key in re.findall(r'show_mapping\(m, "([a-z]+)"', sources["fdinfo"])]
    yield from compare("fdinfo key", keys, page.names["fdinfo"])
    yield from compare("event", re.findall(
        r"^(?:TRACE_EVENT|DEFINE_EVENT\(\w+,|DEFINE_EVENT)\(?\s*(tmm_\w+)", sources["traces"],
        re.M), page.names["event"])


# Each change must give a finding that contains the words.
BREAKS = (
    ("header", r"__u32 nr_pinned;", "__u32 nr_pinned;\n\t__u32 nr_new;", "nr_new"),
    ("header", r" \* @paddr: out: the physical address\n", "", "paddr"),
    ("header", r"#define THESEUS_MM_IOC_SHARE\b", "#define THESEUS_MM_IOC_NEW\t"
     "THESEUS_MM_IOWR(0x70, theseus_mm_share)\n#define THESEUS_MM_IOC_SHARE", "call NEW"),
    ("header", r"#define THESEUS_MM_IOC_SHARE\b.*\n", "", "call SHARE"),
    ("header", r"#define THESEUS_MM_KIND_PAGES\t1",
     "#define THESEUS_MM_NEW\t4\n#define THESEUS_MM_KIND_PAGES\t1", "THESEUS_MM_NEW"),
    ("header", r"/\* The usual choice", "/** The usual choice", "THESEUS_MM_PTE_DATA"),
    ("header", r"\tEDOM\t", "\tENEW\t", "ENEW"),
    ("calls", r"-ENOBUFS", "-ENOSTR", "ENOSTR"),
    ("main", r"static bool quarantine;", "MAX_PARAM(max_new, x);", "max_new"),
    ("main", r"default 65536", "default 65537", "max_handles"),
    ("main", r"&quarantine, 0400", "&quarantine, 0644", "quarantine"),
    ("sysfs", r"DEVICE_ATTR_RO\(tables\)", "DEVICE_ATTR_RO(new_tables)", "new_tables"),
    ("sysfs", r"DEVICE_ATTR_RO\(abi\)", "DEVICE_ATTR_ADMIN_RO(abi)", "abi"),
    ("debugfs", r'"stats"', '"new_stats"', "new_stats"),
    ("fdinfo", r'"client-id|theseus_mm-client-id', "theseus_mm-new-id", "new-id"),
    ("traces", r"tmm_remap", "tmm_new_event", "tmm_new_event"),
    ("template", r"@sysfs mappings", "@sysfs no_such_file", "no_such_file"),
    ("template", r"@parameter bad", "@parameter no_such", "no_such"),
    ("template", r"@example DROP\n", "@example QUERY\n", "DROP"),
    ("template", r"@error EDOM:", "@error ENOTHING:", "ENOTHING"),
    ("template", r"@error ENODEV: MAP_ALLOCATED.*\n", "", "ENODEV of MAP_ALLOCATED_PAGES_TO"),
    ("template", r"@error ESTALE: the mapping was imported or.*\n", "", "ESTALE of IMPORT"),
)

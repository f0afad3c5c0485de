# SPDX-License-Identifier: BSD-2-Clause
"""What strace says of the calls that xcap has shown, in the same run: each argument and result.

Both texts are read into values: numbers, names of flags as sets, bytes, descriptors with what
they are, lists, fields. Then values are compared, so only style may differ. Where one of both
shows an address and the other what is there, nothing is compared, and that is counted."""
import re
import signal
import socket

MARK = "getpriority"
FILE = re.compile(r"(AT_FDCWD|-?\d+)<(?!<)((?:\\.|->|<[^<>]*>|[^<>\\])*)>(\(deleted\))?")
OURS = re.compile(r"(AT_FDCWD|-?\d+)\((?!s\))(.*?)\)(?=$|, [a-z_0-9]+=|\) = )")
POINTER = 0x1000		# numbers from here on may be addresses


# ---- pieces of text ----

def quoted(text, i):
    """The end of the string that begins there."""
    i += 1
    while text[i] != '"':
        i += 2 if text[i] == "\\" else 1
    return i + 1


def pieces(text, file, i=0):
    """What stands between commas, up to the bracket that closes. Return: pieces, where it ends."""
    out, depth, start = [], 0, i
    while i < len(text):
        m = file.match(text, i) if i == start or text[i - 1] in "=[ " else None
        if m:
            i = m.end()
        elif text[i] == '"':
            i = quoted(text, i)
        elif text.startswith("/*", i):
            i = text.index("*/", i) + 2
        elif text[i] in "([{":
            depth, i = depth + 1, i + 1
        elif text[i] in ")]}" and not depth:
            break
        elif text[i] in ")]}":
            depth, i = depth - 1, i + 1
        elif text.startswith(", ", i) and not depth:
            out.append(text[start:i])
            i += 2
            start = i
        else:
            i += 1
    if text[start:i].strip():
        out.append(text[start:i])
    return out, i


def unescape(text):
    names = {"n": b"\n", "t": b"\t", "r": b"\r", "v": b"\v", "f": b"\f", "a": b"\a", "b": b"\b",
             '"': b'"', "\\": b"\\"}

    def one(m):
        e = m[1]
        if e[0] == "x":
            return bytes([int(e[1:], 16)])
        return bytes([int(e, 8)]) if e[0] in "01234567" else names[e]

    out, at = b"", 0
    for m in re.finditer(r"\\(x[0-9a-f]{2}|[0-7]{1,3}|.)", text):
        out += text[at:m.start()].encode("utf-8", "surrogateescape") + one(m)
        at = m.end()
    return out + text[at:].encode("utf-8", "surrogateescape")


# ---- values ----

class File:
    """A descriptor, and what it is."""

    def __init__(self, number, what):
        self.number = -100 if number == "AT_FDCWD" else int(number)
        self.what = what

    def __repr__(self):
        return f"{self.number}({self.what})"


class Text:
    """Bytes; whether there were more."""

    def __init__(self, data, cut):
        self.data, self.cut = data, cut

    def __repr__(self):
        return f"{self.data!r}{'...' if self.cut else ''}"


def strace_file(m):
    """What strace says of a descriptor, in our words."""
    what = re.sub(r"<char [0-9:]+>$", "", m[2]) + (" (deleted)" if m[3] else "")
    s = re.match(r"([A-Z0-9v-]+):\[(.*)\]$", what)
    if not s:
        return File(m[1], re.sub(r"^pid:\d+$", "anon_inode:[pidfd]", what))
    path = re.match(r'\d+(?:->\d+)?,(@?)"(.*)"$', s[2])
    if path:
        return File(m[1], path[1] + unescape(path[2]).decode())
    inode = re.match(r"\d+(?=$|->)", s[2])
    return File(m[1], f"socket:[{inode[0]}]" if inode else s[2].replace("->", "→"))


def capabilities():
    with open("/usr/include/linux/capability.h", encoding="ascii") as header:
        return dict(re.findall(r"#define (CAP_\w+)\s+(\d+)", header.read()))


def number(text):
    """Return: None: it is none."""
    if text == "NULL":
        return 0
    if re.fullmatch(r"-?(0x[0-9a-f]+|\d+)", text):
        octal = re.fullmatch(r"0[0-7]+", text)
        return int(text, 8 if octal else 0)
    product = re.fullmatch(r"(\d+)\*(\d+)", text)
    if product:
        return int(product[1]) * int(product[2])
    call = re.fullmatch(r"(htons|htonl)\((\d+)\)", text)
    if call:
        return int(call[2])
    device = re.fullmatch(r"makedev\((\w+), (\w+)\)", text)
    if device:
        return int(device[1], 0) << 8 | int(device[2], 0)
    name = re.fullmatch(r'if_nametoindex\("(.*)"\)', text)
    if name:
        return 1 if name[1] == "lo" else None
    priority = re.fullmatch(r"IOPRIO_PRIO_VALUE\(IOPRIO_CLASS_BE, (\d)\)", text)
    return 2 << 13 | int(priority[1]) if priority else None


def flags(text):
    """Names and what has none."""
    names, rest = set(), 0
    for part in text.split("|"):
        bit = re.fullmatch(r"1<<(CAP_\w+)", part)
        n = 1 << int(capabilities()[bit[1]]) if bit else number(part)
        n = VALUES.get(part) if n is None else n
        if n is None:
            names.add(SAME_NAME.get(part, part))
        else:
            rest |= n
    return frozenset(names | ({rest} if rest else set())) if names else rest


# Names that strace has for what xcap writes as a number.
VALUES = {"FUTEX_BITSET_MATCH_ANY": 0xffffffff, "MAP_FILE": 0, "PERF_ATTR_SIZE_VER0": 64,
          "PERF_COUNT_SW_CPU_CLOCK": 0, "KEXEC_ARCH_DEFAULT": 0}
# One bit, two names.
SAME_NAME = {"FUTEX_32": "FUTEX2_SIZE_U32", "FUTEX_PRIVATE_FLAG": "FUTEX2_PRIVATE",
             "RLIM64_INFINITY": "RLIM_INFINITY", "OPEN_TREE_CLOEXEC": "O_CLOEXEC"}


def fields(inner, file):
    """{name=value, ...}; else the list of what stands there."""
    parts = pieces(inner, file)[0]
    named, rest = {}, []
    for part in parts:
        m = re.match(r"([a-z_0-9]+)=", part)
        ipv6 = re.match(r'inet_pton\(AF_INET6, "(.*)", ', part)
        if m:
            named[m[1]] = value(part[m.end():], file)
        elif ipv6:
            named["sin6_addr"] = ipv6[1]
        elif part != "...":
            rest.append(value(part, file))
    return rest if rest and not named else named


def value(text, file):
    text = re.sub(r" ?/\* .*? \*/", "", text).strip()
    m = file.fullmatch(text)
    if m:
        return strace_file(m) if file is FILE else File(m[1], m[2])
    if re.fullmatch(r"\d+<.*>( \d+<.*>)+", text):	# a set of descriptors: their numbers
        return re.sub(r"(\d+)<[^<>]*>(?= |$)", r"\1", text)
    m = re.fullmatch(r'(@?)"((?:[^"\\]|\\.)*)"(\.\.\.)?', text)
    if m:
        return Text((b"\0" if m[1] else b"") + unescape(m[2]), bool(m[3]))
    if text.startswith("[") and text.endswith("]"):
        return [value(p, file) for p in pieces(text[1:-1], file)[0]]
    if text.startswith("{") and text.endswith("}"):
        return fields(text[1:-1], file)
    n = number(text)
    if n is not None:
        return n
    return flags(text) if re.fullmatch(r"[\w|<]+", text) else text


# ---- calls ----

class Call:
    """One call: entry and exit hold what xcap showed there by name; strace has args in order."""

    def __init__(self, name):
        self.name, self.args, self.exit, self.result = name, {}, {}, None


def arguments(text):
    """What xcap shows: by name. Two halves of a number are one, as strace has it."""
    out = {}
    for piece in pieces(text, OURS)[0]:
        name, rest = piece.split("=", 1)
        out[name] = value(rest, OURS)
    for name in list(out):
        for low, high in (("_low", "_high"), ("_l", "_h")):
            if not name.endswith(low) or name[:-len(low)] + high not in out:
                continue
            whole = name[:-len(low)]
            top = out.pop(whole + high)
            low_part = out[name]
            both = top << 32 | low_part if isinstance(low_part, int) else low_part
            out = {whole if k == name else k: both if k == name else v for k, v in out.items()}
    return out


def ours(lines):
    """The calls of a thread, from its lines."""
    out = []
    for line in lines:
        way, name, rest = re.match(r"([<>]) ([\w#]+)(?:/32)?(.*)$", line).groups()
        if way == ">":
            out.append(Call(name))
            out[-1].args = arguments(rest[1:-1])
        elif out and out[-1].name == name and out[-1].result is None:
            end = pieces(rest, OURS, 1)[1] if rest[0] == "(" else -1
            if end > 0:
                out[-1].exit = arguments(rest[1:end])
            out[-1].result = rest[end + 1:].removeprefix(" = ")
    return out


def strace_lines(path):
    """Whole calls: those that others interrupted are put together."""
    begun = {}
    for line in open(path, encoding="utf-8", errors="surrogateescape"):
        pid, text = line.rstrip("\n").split(None, 1)
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)$", text)
        if text.endswith("<unfinished ...>"):
            begun[pid] = text.removesuffix("<unfinished ...>")
        elif resumed:
            yield pid, begun.pop(pid) + resumed[1]
        elif text[:3] not in ("---", "+++"):
            yield pid, text


def theirs(path):
    """Return: the calls of each process, [(name, [argument], result)], from the mark on."""
    out, main = {}, None
    for pid, text in strace_lines(path):
        name, rest = text.split("(", 1)
        args, end = pieces(rest, FILE)
        if main is None and (name != MARK or args[-1] != "4711"):
            continue
        main = main or pid
        result = rest[end + 1:].strip().removeprefix("= ")
        out.setdefault(pid, []).append((name, args, result))
    return out


# ---- the same? ----

def address(s):
    """A socket address as xcap has it."""
    def get(key):
        return s.get(key)

    family = next(iter(get("sa_family")))
    if family == "AF_INET":
        ip = re.search(r'"(.*)"', str(get("sin_addr")))[1]
        return f"{ip}:{get('sin_port')}"
    if family == "AF_INET6":
        return f"[{get('sin6_addr')}]:{get('sin6_port')}"
    if family == "AF_NETLINK":
        return f"netlink:{get('nl_pid')}"
    if family == "AF_PACKET":
        return f"packet:{get('sll_ifindex')}"
    if family == "AF_UNSPEC":
        return "family 0"
    return get("sun_path") if family == "AF_UNIX" else family


def data(iov, limit=None):
    """The bytes of an iovec, as many as a call read, as long as xcap shows them."""
    whole, cut = b"", False
    for part in iov:
        base = part["iov_base"]
        if isinstance(base, Text):
            whole, cut = whole + base.data, cut or base.cut
    if limit is not None and not cut:
        whole = whole[:limit]
    return Text(whole[:80], cut or len(whole) > 80)


def same_file(x, s):
    if x.number != s.number:
        return False
    if x.what == s.what:
        return True
    for pattern, _ in FILES_OF_OTHER_STYLE:
        if re.fullmatch(pattern, f"{x.what} : {s.what}"):
            return True
    # strace's paths are escaped
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), x.what) == \
        unescape(s.what).decode("utf-8", "surrogateescape")


FILES_OF_OTHER_STYLE = [
    (r"(.*)→.* : \1", "strace keeps what it learned of a socket first: not yet connected"),
    (r"(@?)([^\\]*)\\x00.* : \1\2", "strace ends an abstract name at its first NUL"),
    (r"socket:\[\d+\] : ROUTE:\d+", "strace asks netlink for the port of netlink sockets"),
    (r"0\.0\.0\.0:1 : socket:\[\d+\]", "a raw socket's port is its protocol"),
]


def signal_number(names):
    name = next(iter(names))
    return getattr(signal, name, None) if isinstance(name, str) else None


def same_list(x, s):
    return len(x) == len(s) and all(same(a, b) for a, b in zip(x, s))


def same_text(x, s, limit):
    if isinstance(s, list):
        s = data(s, limit)
    return isinstance(s, Text) and (x.data, x.cut) == (s.data, s.cut)


def same_message(x, s, limit):
    """{address, "data"} of a struct msghdr, or of the first of several."""
    if isinstance(s, list):
        limit = s[0]["msg_len"]
        s = s[0]["msg_hdr"]
    return same(x[-1], data(s["msg_iov"], limit)) and \
        (len(x) < 2 or same(x[0], address(s["msg_name"])))


def same(x, s, limit=None):
    """x: a value of xcap's; s: of strace's."""
    if isinstance(x, File):
        return x.number == s if isinstance(s, int) else isinstance(s, File) and same_file(x, s)
    if isinstance(s, File):
        return x == s.number
    if isinstance(s, dict) and "sa_family" in s:
        s = address(s)
    if isinstance(x, list) and x and isinstance(x[-1], Text) and \
            (isinstance(s, dict) or isinstance(s, list) and isinstance(s[0], dict)):
        return same_message(x, s, limit)
    if isinstance(x, Text):
        return same_text(x, s, limit)
    if isinstance(x, dict) and isinstance(s, dict):
        return all(same(v, s[k]) if k in s else v == 0 for k, v in x.items())
    if isinstance(x, list) and isinstance(s, list):
        return same_list(x, s)
    if isinstance(s, list) and len(s) == 1:
        return same(x, s[0])
    if isinstance(x, frozenset) and isinstance(s, int) and len(x) == 1:
        return signal_number(x) == s
    if isinstance(x, int) and isinstance(s, int):
        # one of them may take it as signed
        return x == s or min(x, s) < 0 and any((x - s) % (1 << b) == 0 for b in (32, 64))
    return x == s


# ---- the verdict ----

class Books:
    """What was compared."""

    def __init__(self):
        self.calls, self.args, self.addresses, self.style = set(), 0, 0, 0
        self.unknown, self.bad = set(), []

    def compare(self, call, what, x, s, limit=None):
        composite = (list, dict, Text, frozenset, str)
        one = isinstance(x, int) and x >= POINTER and isinstance(s, composite)
        other = isinstance(s, int) and s >= POINTER and isinstance(x, composite)
        if one or other:
            self.addresses += 1
        elif same(x, s, limit):
            self.args += 1
            self.calls.add(call)
        elif (call, what) in STYLE:
            self.style += 1
        else:
            self.bad.append(f"{call} {what}: xcap {x!r}, strace {s!r}")


# What is not compared, and why.
STYLE = {
    ("getcwd", "buf"): "strace ends it at the NUL, which the call counts",
    ("mmap2", "pgoffset"): "strace multiplies it with the size of a page",
    ("syslog", "type"): "strace writes the number, and the name as a comment",
}
MORE_IN_STRACE = {
    "restart_syscall": "what is resumed, which is no argument",
    "rt_sigreturn": "the mask on the stack, which is no argument", "sigreturn": "the same",
    "select": "the arguments that the 32-bit call has one pointer to", "mmap": "the same",
}
OTHER_NAME = {"socketcall": "what socketcall() calls"}


def results(books, x, result):
    """The result, and what strace writes behind it."""
    ours_text = x.result
    error = re.match(r"(?:-1|\?) (E\w+)", result)
    if error or re.match(r"-\d+ E", ours_text):
        books.compare(x.name, "result", (ours_text.split() + [""])[1:2], [error and error[1]])
    elif not result.startswith("?"):
        text = result if FILE.match(result) else result.split(" (")[0].split()[0]
        books.compare(x.name, "result", value(ours_text, OURS), value(text, FILE))
    ready = re.search(r"\((\[\{fd.*?\}\])", result)
    if ready:
        books.compare(x.name, "revents", x.exit["fds"], value(ready[1], FILE))


def one_call(books, x, args, result):
    names = list(x.args)
    limit = int(x.result) if x.exit and re.fullmatch(r"\d+", x.result or "") else None
    for i, text in enumerate(args):
        named = re.match(r"([a-z_]+)=", text)
        name = {"child_stack": "stack"}.get(named[1], named[1]) if named else \
            names[i] if i < len(names) else None
        if name == "uaddr2" and "BITSET" in args[1]:
            name = "val3"			# strace leaves uaddr2 out
        if x.name in MORE_IN_STRACE and (name not in x.args or "args" in x.args):
            continue
        if name not in x.args:
            books.bad.append(f"{x.name}: strace has {text}, xcap nothing")
            continue
        text = text[named.end():] if named else text
        changed = re.fullmatch(r"(\[[^\]]*\]|\w+) => (.*)", text)
        if changed:
            books.compare(x.name, name, x.args[name], value(changed[1], FILE))
        text = changed[2] if changed else re.sub(r"[^ ={\[]+ => ", "", text)
        late = name in x.exit and "fds" not in name
        books.compare(x.name, name, (x.exit if late else x.args)[name], value(text, FILE), limit)
    if x.result is not None:		# the second mark's, and that of what ends a thread
        results(books, x, result)


def agree(threads, path):
    """Prints the differences. Return: exit code."""
    books, calls = Books(), theirs(path)
    for tid, lines in threads:
        mine, his = ours(lines), calls.get(tid, [])
        if len(his) < len(mine):
            books.bad.append(f"{tid}: xcap has {len(mine)} calls, strace {len(his)}")
        for x, (name, args, result) in zip(mine, his):
            if name.startswith("syscall_0x"):	# newer than strace
                books.unknown.add(x.name)
            elif x.name in OTHER_NAME:
                books.style += 1
            elif name != x.name:
                books.bad.append(f"{tid}: xcap has {x.name}, strace {name}: they are out of step")
                break
            else:
                one_call(books, x, args, result)
    for line in books.bad[:40]:
        print(line)
    print(f"strace agrees in {len(books.calls)} calls, {books.args} arguments and results; "
          f"{books.addresses} are an address in one of both, {books.style} not compared; strace "
          f"does not know {len(books.unknown)} calls; {len(books.bad)} differ")
    return bool(books.bad) or len(books.calls) < 100


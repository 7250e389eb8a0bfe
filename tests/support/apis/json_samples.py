"""JSON values and bodies, legal and illegal by RFC 8259, for decoder tests and as seeds for fuzzing."""

from __future__ import annotations

import gzip
from collections.abc import Callable

BOM = b"\xef\xbb\xbf"

LEGAL: list[bytes] = [
    # numbers
    b"0", b"-0", b"-0.0", b"1.10", b"1e5", b"1E5", b"1E+2", b"1e+5", b"1e-05", b"-1.5E-300", b"1e400", b"-1E999",
    b"9" * 30, b"-" + b"9" * 30, b"9" * 5_000, b"0.1e1", b"-1e-400", b"0." + b"1" * 400, b"9007199254740993",
    b"18446744073709551616", b"-9223372036854775809", b"1e00", b"0e0", b"123456789012345678901234567890.5",
    # literals and strings
    b"true", b"false", b"null", b'""', b'"a"', b'"\\""', b'"\\\\"', b'"\\/"', b'"/"', b'"\\b\\f\\n\\r\\t"',
    b'"\\u0000"', b'"\\u001f"', b'"\\u00e9"', b'"\\uABCD\\uabcd"', b'"\\u2028\\u2029"', b'"\\uFFFE\\uffff"',
    # escaped surrogates: legal by the grammar, paired or not
    b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\udc00"', b'"\\ude00\\ud83d"', b'"\\ud800x"', b'"\\ud800\\ud800\\udc00"',
    b'"\\uDBFF\\uDFFF"', b'{"\\udead":1}',
    # characters as they are
    b'"\x7f"', b'"\xc2\x80"', b'"\xc2\x85"', b'"\xc2\xa0"', b'"\xe2\x80\xa8"', b'"\xe2\x80\xa9"', b'"\xef\xbb\xbf"',
    b'"\xef\xbf\xbf"', b'"\xef\xbf\xbe"', b'"\xf0\x9f\x98\x80"', b'"\xf4\x8f\xbf\xbf"', b'"\xcc\x81"', b'"/*"', b'"//"',
    b'"[{}]"', b'"NaN"', b'"\'"', b'"' + b"x" * 300_000 + b'"', b'"' + "é".encode() * 70_000 + b'"',
    # containers
    b"[]", b"[ ]", b"{}", b"{ }", b"[1,2]", b"[[],{}]", b"[null,1,\"1\",{}]", b"[[[]]]", b'{"":0}', b'{"":{"":[]}}',
    b'{"a":1,"a":2}', b'{"a":null,"a":null}', b'{"\\u0061":1,"a":2}', b'{"\\ud800":1}', b'{"a":{"a":{}}}',
    b'{"\\u0000":"\\u0000"}', b'{"A":1,"a":2}', b'{"a b":1,"a.b":2}', b'{"\xc3\xa9":1,"e\xcc\x81":2}', b'{"data":1}',
    b'{"data":[{"a":1}]}', b'{"__proto__":{},"constructor":1}', b"[\t1\r ,\t2 ]", b'{\r"a"\t: \r1}',
    b"[" + b"0," * 9_999 + b"0]",
    # depth
    b"[" * 10 + b"]" * 10, b"[" * 1_000 + b"]" * 1_000, b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 10 + b"1" + b"}" * 10, b'{"a":' * 1_000 + b"1" + b"}" * 1_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'[{"a":' * 700 + b"0" + b"}]" * 700,
]  # fmt: skip
ILLEGAL: list[bytes] = [
    # numbers
    b"01", b"-01", b"00", b"+1", b"-", b"--1", b"- 1", b"-a", b".5", b"-.5", b"1.", b"-2.", b"1.e5", b"1e", b"1e+",
    b"1E",
    b"1e5.5", b"1e1e1", b"0x1", b"0xFF", b"0b1", b"0o7", b"1_0", b"1,000", b"1 000", b"1a", b"1f", b"1n", b"0.1.2",
    b"1 2",
    b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"+Infinity", b"nan", b"inf", b"-inf", b"1/2", b"\xef\xbc\x91",
    b"\xd9\xa1", b"\xe2\x88\x921",
    # literals
    b"True", b"TRUE", b"tru", b"truee", b"nul", b"nulls", b"None", b"undefined", b"fals", b"a", b"true false", b"-true",
    # strings
    b"'a'", b"`a`", b'"', b'"a', b'a"', b'"a""b"', b'"\\"', b'"\\', b'"\\x41"', b'"\\u12"', b'"\\u12G4"', b'"\\u"',
    b'"\\U00000041"', b'"\\a"', b'"\\v"', b'"\\0"', b'"\\101"', b'"\\\'"', b'"\\\n"', b'"\\ "', b'"\\\xc3\xa9"',
    b'"\\ud800\\u1"', b'"\\u{41}"', b'"a\\"', b'"\t"', b'"\n"', b'"\r"', b'"\r\n"', b'"\x00"', b'"\x01"', b'"\x1b"',
    b'"\x1f"', b"\xe2\x80\x9ca\xe2\x80\x9d",
    # encodings: beyond UTF-8, overlong, surrogates, cut sequences
    b'"\xff"', b'"\xfe"', b'"\x80"', b'"\xbf"', b'"\xc3"', b'"\xe2\x82"', b'"\xf0\x9f\x98"', b'"\xc0\x80"',
    b'"\xc0\xaf"',
    b'"\xc1\xbf"', b'"\xe0\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xf0\x80\x80\x80"', b'"\xf0\x8f\xbf\xbf"',
    b'"\xed\xa0\x80"',
    b'"\xed\xbf\xbf"', b'"\xed\xa0\xbd\xed\xb8\x80"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
    b'"\xf8\x88\x80\x80\x80"', b'"\xe9"', b'"caf\xe9"', b'{"\xff":1}', b'"\xc3\x28"',
    # containers
    b"[", b"]", b"[1,]", b"[,1]", b"[1,,2]", b"[1", b"[1}", b"[1:2]", b"[1;2]", b"[1]]", b"[[1]", b"{", b"}", b"{,}",
    b'{"a"}',
    b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}', b'{"a":1 "b":2}', b"{a:1}", b"{1:1}", b"{null:1}",
    b"{'a':1}",
    b"{[1]:1}", b'{"a" 1}', b'{"a"::1}', b'{"a"=1}', b'{"a"=>1}', b'{"a":1', b'{"a":1]', b'{"a":1}}', b'{"a":{"b":1}',
    b'{"a":[}', b"(1)", b"<1>", b"[1...]", b'{"a":1}{"b":2}', b"[" * 1_000 + b"]" * 999, b"[" * 100_000,
    b'{"a":' * 1_000, b"[" * 1_000 + b"}" * 1_000,
    # comments, space and other things between tokens
    b"/*c*/1", b"1/**/", b"1//c", b"1#c", b"#c\n1", b"--c\n1", b"\x0c1", b"1\x0b", b"\x0b", b"\xc2\xa01", b"1\xc2\x85",
    b"\xe2\x80\xa81",
    b"\xe3\x80\x801", b"1\xef\xbb\xbf", b"\x001", b"1\x00", b"\x1c1", b"\x7f1", b"\\u0031", b"1;", b"1,", b",1", b":1",
    b"\\n1",
]  # fmt: skip

PLACES: dict[str, bytes] = {
    "in a record": b'{"data":[{"id":1,"x":%s},{"id":2}],"total_pages":1}',
    "beside the list": b'{"x":%s,"total_pages":1,"data":[{"id":1},{"id":2}]}',
    "behind the list": b'{"total_pages":1,"data":[{"id":1},{"id":2}],"meta":{"x":%s}}',
}
"""Where a value can appear within a body; each is a partition of two records."""

GOOD = b'{"data": [{"a": 1.10, "b": "\xc3\xa9"}, {"c": [true, null]}], "page": 1}'
LINES = [b'{"a":1.10,"b":"\xc3\xa9"}', b'{"c":[true,null]}']
"""The records of GOOD, as they land."""

_TEXT = GOOD.decode()
WHOLE_LEGAL: dict[str, bytes] = {
    "plain": GOOD, "a byte order mark": BOM + GOOD, "space around it": b" \t\r\n" + GOOD + b"\n\r \t",
    "tabs between tokens": GOOD.replace(b" ", b"\t"), "lone carriage returns": GOOD.replace(b" ", b"\r"),
    "CRLF between tokens": GOOD.replace(b" ", b"\r\n"), "no space at all": GOOD.replace(b" ", b""),
    "its key as escapes": GOOD.replace(b'"data"', b'"d\\u0061ta"'), "a line end behind it": GOOD + b"\n",
    "space of a megabyte": GOOD.replace(b": [", b": " + b" " * 2**20 + b"["),
    "the list itself": GOOD[GOOD.index(b"[") : GOOD.rindex(b", \"page")],
    "a long string beside it": GOOD.replace(b'"page": 1', b'"page": "' + b"p" * 2**20 + b'"'),
    "what looks like it in a string": GOOD.replace(b'"page": 1', b'"page": "[{\\"a\\": 1.10, \\"data\\": [{}]}]"'),
    "the empty key beside it": GOOD.replace(b'"page"', b'""'),
    "a key twice beside it": GOOD.replace(b'"page": 1', b'"page": 1, "page": 2'),
}  # fmt: skip
WHOLE_ILLEGAL: dict[str, bytes] = {
    **{f"cut at byte {end}": GOOD[:end] for end in range(len(GOOD))},
    **{f"behind it {tail[:9]!r}": GOOD + tail for tail in [
        b"x", b"{}", b",", b"]", b"}", b"null", b"\x00", b"\xff", BOM, GOOD, b"\n" + GOOD, b"\x0c", b"\x1a", b";",
        b"/* c */",
        b"<!-- c -->", b"\xc2\xa0",
    ]},
    **{f"before it {head[:9]!r}": head + GOOD for head in [
        b"x", b",", b"\x00", b"\xff", BOM * 2, b"\x0b", b"\x0c", "\u00a0".encode(), "\u2028".encode(),
        "\u200b".encode(), b"\x1c",
        b"\x85", b"\x1e", b")]}',\n", b"for(;;);", b"while(1);", b"data: ", b"HTTP/1.1 200 OK\r\n\r\n", b"<pre>",
        b"callback(",
    ]},
    **{f"in {name}": _TEXT.encode(name) for name in [
        "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "cp1252", "cp500",
    ]},
    "empty": b"", "space alone": b" \r\n\t ", "a byte order mark alone": BOM, "a NUL": b"\x00",
    "JSONP": b"cb(" + GOOD + b");",
    "Python's own": repr({"data": [{"a": 1.1}]}).encode(), "YAML": b"data:\n  - a: 1.10\n",
    "XML": b"<data><a>1</a></data>",
    "HTML": b"<!doctype html><title>Log in</title>", "text": b"Internal Server Error", "NDJSON": b'{"a":1}\n{"a":2}\n',
    "CSV": b"a,b\r\n1,2\r\n", "gzip without a header": gzip.compress(GOOD, mtime=0),
    "keys without quotes": b"{data:[{a:1}]}",
    "single quotes": GOOD.replace(b'"', b"'"), "a comma at the end": GOOD[:-1] + b",}",
    "a comma at the end of the list": GOOD.replace(b"}], ", b"},], "), "a comment": GOOD.replace(b"1.10",
    b"1.10 /* c */"),
    "a string in two lines": GOOD.replace(b'"\xc3\xa9"', b'"\n"'), "half of two bodies": GOOD[:20] + GOOD,
    "a record cut in two by a log line": GOOD[:20] + b"\nWARN slow query\n" + GOOD[20:],
}  # fmt: skip

_BETWEEN = [
    (b'"total_pages":', b'\n\t"total_pages" : '),
    (b'"data":[', b'\r\n"data" :\n[ '),
    (b'{"id":2}', b'\r{\n"id" :2\n}'),
]


def spread(body: bytes) -> bytes:
    """The same body with line ends and spaces around the places of a value."""
    for compact, wide in _BETWEEN:
        body = body.replace(compact, wide)
    return body


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "compact": bytes,
    "spread over lines": spread,
    "behind a mark": BOM.__add__,
}
"""Ways to write the same body."""

"""A trace to calls: threads that interleave, escapes, calls that failed, paths that are not absolute."""

from __future__ import annotations

from tests.support.crashes.strace import Syscall, parse_trace

TRACE = r"""
7 openat(AT_FDCWD</w>, "lake/\303\251 \"a\"", O_WRONLY|O_CREAT|O_EXCL, 0644) = 5</w/lake/\303\251 "a">
7 write(5</w/lake/t>, "a\n\0\0011, <\377>)", 9 <unfinished ...>
8 fsync(6</w/lake/u> <unfinished ...>
7 <... write resumed>)             = 9
8 <... fsync resumed>)              = 0
7 pwrite64(3</w/q-wal>, "", 0, 4096) = 0
7 rename("/w/lake/t", "/w/lake/raw/p") = 0
7 renameat2(AT_FDCWD</w>, "t", 4</w/lake>, "../raw/p", RENAME_NOREPLACE) = 0
7 unlink("/w/none") = -1 ENOENT (No such file or directory)
7 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
7 +++ exited with 0 +++
"""


def test_what_is_written_down_of_a_process_is_its_calls() -> None:
    opened, written, synced, at, renamed, relative = parse_trace(TRACE.strip().splitlines())
    assert opened == Syscall(0, 0, "openat", ('/w/lake/é "a"',), b"", ("O_WRONLY|O_CREAT|O_EXCL", "0644"))
    assert opened.writes
    assert written == Syscall(1, 3, "write", ("/w/lake/t",), b"a\n\x00\x011, <\xff>)", ("9",))
    assert synced == Syscall(2, 4, "fsync", ("/w/lake/u",), b"", ())
    assert (at.data, at.words) == (b"", ("0", "4096"))
    assert renamed.paths == ("/w/lake/t", "/w/lake/raw/p")
    assert relative.paths == ("/w/t", "/w/raw/p")
    assert not relative.writes

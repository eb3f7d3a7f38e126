"""One machine over SSH, both transports, against a real OpenSSH server: answers, and sharing one host."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.loopback import Keys, Server, eventually, running, started
from tests.hosts.questions import TRUE, ask, listen, sh
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import Transport

pytestmark = pytest.mark.sshd


class TestAnswers:
    def test_output_errors_and_exit_code_come_back(self, box: SshHost) -> None:
        done = box.run(sh("echo out; echo err >&2; exit 3"))

        assert done == Completed(("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\n", "err\n")

    def test_255_of_the_command_is_an_answer(self, box: SshHost) -> None:
        assert box.run(sh("echo 'cannot resume send' >&2; exit 255")).exit_code == 255
        with box.lines(sh("echo row; exit 255")) as lines:
            assert list(lines) == ["row"]
            assert lines.completed.exit_code == 255

    def test_no_byte_is_lost(self, box: SshHost) -> None:
        raw = bytes(range(1, 256)) + b"\xff\xfe no newline"
        script = "printf '" + "".join(f"\\{byte:03o}" for byte in raw) + "'"

        assert box.run(sh(script)).stdout.encode("utf-8", "surrogateescape") == raw
        with box.lines(sh(script)) as lines:
            assert "\n".join(lines).encode("utf-8", "surrogateescape") == raw

    def test_arguments_are_quoted_once(self, box: SshHost) -> None:
        arguments = ("tank/with space@it's", "-n", "a\nb", "$(reboot)", "")

        assert box.run(Command(("printf", "%s|", *arguments))).stdout == "".join(f"{a}|" for a in arguments)

    def test_several_commands_are_one_question(self, box: SshHost) -> None:
        before = box.exchanges
        answers = box.run_all([sh("echo 1; exit 1"), Command(("cat",), stdin="two"), sh("echo 3 >&2")])

        assert [(a.exit_code, a.stdout, a.stderr) for a in answers] == [(1, "1\n", ""), (0, "two", ""), (0, "", "3\n")]
        assert box.exchanges == before + 1

    def test_questions_are_counted(self, box: SshHost) -> None:
        before = box.exchanges
        box.run(TRUE)
        listen(box)
        box.run_all([TRUE, TRUE])
        box.run_all([])

        assert box.exchanges == before + 3

    def test_a_command_near_the_longest_argument_arrives(self, box: SshHost) -> None:
        words = [f"tank/data@zfsctl-{i:020}" for i in range(3300)]
        done = box.run(Command(("echo", *words)))

        assert 120_000 < len(done.stdout) < 131_072
        assert done.stdout == " ".join(words) + "\n"

    def test_a_long_command_can_be_listed_and_left(self, box: SshHost, server: Server) -> None:
        words = [f"tank/data@zfsctl-{i:020}" for i in range(3300)]
        with box.lines(Command(("printf", "%s\\n", *words))) as lines:
            assert list(lines) == words
        with box.lines(Command(("sh", "-c", "echo up; exec sleep 31.2", *words))) as lines:
            assert next(iter(lines)) == "up"

        assert eventually(lambda: not running(server, "sleep 31.2"))

    def test_a_megabyte_of_commands_is_one_question(self, box: SshHost) -> None:
        before = box.exchanges
        commands = [Command(("echo", str(i), "x" * 50_000)) for i in range(20)]

        assert [a.stdout for a in box.run_all(commands)] == [f"{i} {'x' * 50_000}\n" for i in range(20)]
        assert box.exchanges == before + 1

    def test_long_input_arrives(self, box: SshHost) -> None:
        text = "".join(f"it's line {i}\n" for i in range(20_000))

        assert box.run(Command(("cat",), stdin=text)).stdout == text

    def test_200000_lines_are_complete(self, box: SshHost) -> None:
        began = time.monotonic()
        with box.lines(Command(("seq", "200000"))) as lines:
            assert [int(line) for line in lines] == list(range(1, 200_001))
            assert lines.completed.clean
        assert len(box.run(Command(("seq", "200000"))).stdout) == 1_288_895

        assert time.monotonic() - began < 10

    def test_one_listing_can_wait_until_another_was_read(self, box: SshHost) -> None:
        with box.lines(Command(("seq", "200000"))) as first, box.lines(Command(("seq", "200000"))) as second:
            assert (len(list(first)), len(list(second))) == (200_000, 200_000)
            assert (first.completed.exit_code, second.completed.exit_code) == (0, 0)

    def test_empty_lines_and_a_last_line_without_newline_are_kept(self, box: SshHost) -> None:
        with box.lines(sh("printf 'a\\n\\n\\nb'")) as lines:
            assert list(lines) == ["a", "", "", "b"]

    def test_the_end_of_a_listing_is_told_only_after_its_last_line(self, box: SshHost) -> None:
        with box.lines(sh("echo a; echo b; echo oops >&2")) as lines:
            with pytest.raises(RuntimeError):
                _ = lines.completed
            assert list(lines) == ["a", "b"]
            assert (lines.completed.exit_code, lines.completed.stderr) == (0, "oops\n")

    def test_a_program_that_is_not_there_is_an_answer(self, box: SshHost) -> None:
        assert box.run(Command(("no-such-zfs", "list"))).exit_code == 127

    def test_small_questions_are_quick(self, box: SshHost) -> None:
        box.run(TRUE)
        took = []
        for _ in range(20):
            began = time.monotonic()
            box.run(TRUE)
            took.append(time.monotonic() - began)

        # The quickest says what the way costs, the others what else the machine did.
        assert min(took) < 0.3


class TestSharing:
    def test_many_threads_share_one_host(self, box: SshHost) -> None:
        before = box.exchanges
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda i: box.run(Command(("echo", str(i)))).stdout, range(72)))

        assert answers == [f"{i}\n" for i in range(72)]
        assert box.exchanges == before + 72

    @pytest.mark.slow
    def test_a_server_that_allows_few_sessions_is_believed(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        for server in started(tmp_path_factory, keys, "MaxSessions 2"):
            host = SshHost(server.entry(transport=transport))
            with ThreadPoolExecutor(6) as pool:
                answers = list(pool.map(host.run, [Command(("echo", str(i))) for i in range(12)]))
            host.close()

            assert [answer.stdout for answer in answers] == [f"{i}\n" for i in range(12)]

    @pytest.mark.slow
    def test_twenty_hosts_answer_at_once(self, server: Server, transport: Transport) -> None:
        hosts = [SshHost(server.entry(f"node{i}", transport=transport)) for i in range(20)]
        try:
            with ThreadPoolExecutor(20) as pool:
                answers = list(pool.map(lambda host: host.run(Command(("echo", host.name))).stdout, hosts))
        finally:
            for host in hosts:
                host.close()

        assert answers == [f"node{i}\n" for i in range(20)]

    @pytest.mark.slow
    def test_one_connection_serves_all_questions(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        for server in started(tmp_path_factory, keys, "LogLevel VERBOSE"):
            host = SshHost(server.entry(transport=transport))
            for _ in range(5):
                host.run(TRUE)
            host.close()

            assert server.log.count("Accepted publickey") == 1

    def test_nothing_is_left_after_close(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        os_before = len(os.listdir("/proc/self/fd"))
        threads_before = threading.active_count()
        host = SshHost(server.entry(transport=transport))
        ask(host)
        listen(host)
        host.close()
        host.close()

        assert eventually(lambda: threading.active_count() <= threads_before)
        assert eventually(lambda: len(os.listdir("/proc/self/fd")) <= os_before)

    def test_a_question_after_close_dials_anew(self, box: SshHost) -> None:
        ask(box)
        box.close()

        assert box.run(TRUE).exit_code == 0

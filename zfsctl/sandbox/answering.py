"""How a simulated host answers one command: the command itself, and whatever fault strikes."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.command import CONDITION_FAILED, CONDITION_TEXT, Command, Completed, Condition
from zfsctl.sandbox.calls import Call, Hang
from zfsctl.sandbox.faults import Fault, FaultKind, Faults, KilledAt
from zfsctl.sandbox.machines import SimFleet, SimMachine
from zfsctl.sandbox.shell import run_call
from zfsctl.sandbox.streams import Stream


class Silence(Exception):
    """No answer comes."""


class CutOff(Exception):
    """The connection ends in the middle of the answer, of which `partial` arrived."""

    def __init__(self, partial: str) -> None:
        super().__init__()
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers: a machine of a fleet, with the faults that a test planned."""

    fleet: SimFleet
    machine: SimMachine
    faults: Faults

    def answer(self, command: Command) -> Completed:
        """Carry a command out; errors as those of `exchange`."""
        return self.exchange(command)[0]

    def exchange(self, command: Command, stream: Stream | None = None) -> tuple[Completed, Stream | None]:
        """Carry a command out with a stream on its standard input; what it printed, and the stream it wrote.

        Raises:
            Silence: No answer comes; it may or may not have been carried out.
            CutOff: The connection ended before the answer did.
            KilledAt: The program itself dies here.
        """
        fault = self.faults.strike(self.machine.name, command)
        kind = fault.kind if fault else None
        match kind:
            case FaultKind.KILL_BEFORE:
                raise KilledAt(str(command))
            case FaultKind.CUT_BEFORE:
                raise CutOff("")
            case FaultKind.HANG:
                raise Silence
        if command.only_if is not None and not self._holds(command.only_if):
            unmoved = Completed(command.argv, CONDITION_FAILED, "", f"{CONDITION_TEXT}\n")
            return unmoved if fault is None else _spoil(command, unmoved, fault), None
        self.faults.log.append((self.machine.name, str(command)))
        if kind is FaultKind.LIE:
            return Completed(command.argv, 0, "", ""), None
        if fault and kind is FaultKind.FAIL:
            return Completed(command.argv, fault.exit_code, "", _line(fault.text)), None
        call = Call(self.fleet, self.machine, stdin=command.stdin, stream_in=stream)
        try:
            code = run_call(call, command.argv)
        except Hang:
            raise Silence from None
        done = Completed(command.argv, code, _joined(call.out), _joined(call.err))
        return done if fault is None else _spoil(command, done, fault), call.stream_out

    def _holds(self, condition: Condition) -> bool:
        call = Call(self.fleet, self.machine)
        try:
            run_call(call, condition.argv)
        except Hang:
            raise Silence from None
        return _joined(call.out).rstrip("\n") == condition.stdout.rstrip("\n")


def _spoil(command: Command, done: Completed, fault: Fault) -> Completed:
    match fault.kind:
        case FaultKind.KILL_AFTER:
            raise KilledAt(str(command))
        case FaultKind.HANG_AFTER:
            raise Silence
        case FaultKind.CUT:
            raise CutOff("".join(done.stdout.splitlines(keepends=True)[: fault.lines]))
        case FaultKind.NOISE:
            return Completed(done.argv, done.exit_code, done.stdout, done.stderr + _line(fault.text))
        case FaultKind.EDIT if fault.edit:
            return Completed(done.argv, done.exit_code, fault.edit(done.stdout), done.stderr)
        case FaultKind.FAIL_AFTER:
            return Completed(done.argv, fault.exit_code, done.stdout, _line(fault.text))
    return done


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n" if lines else ""


def _line(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"

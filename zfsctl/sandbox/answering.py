"""How a simulated host answers one command: the command itself, and whatever fault strikes."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.calls import Hang
from zfsctl.sandbox.faults import Fault, FaultKind, Faults, KilledAt
from zfsctl.sandbox.machines import SimFleet, SimMachine
from zfsctl.sandbox.shell import run_program


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
        """Carry a command out.

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
        self.faults.log.append((self.machine.name, str(command)))
        if kind is FaultKind.LIE:
            return Completed(command.argv, 0, "", "")
        if fault and kind is FaultKind.FAIL:
            return Completed(command.argv, fault.exit_code, "", _line(fault.text))
        done = self._run(command)
        return done if fault is None else _spoil(command, done, fault)

    def _run(self, command: Command) -> Completed:
        try:
            code, out, err = run_program(self.fleet, self.machine, command.argv, command.stdin)
        except Hang:
            raise Silence from None
        return Completed(command.argv, code, _joined(out), _joined(err))


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

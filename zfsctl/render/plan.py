"""A plan and its result as text: grouped by dataset, a reason on every line, totals last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.names import Place
from zfsctl.model.plan import DestroySnapshots, Plan, PlannedDataset
from zfsctl.model.verdicts import Verdict
from zfsctl.render.entries import Entry, Kind, entries_of_plan, entries_of_result
from zfsctl.render.findings import render_findings, rows_of_findings
from zfsctl.render.text import Line, Row, Span, Style, cells, line, padded, try_line
from zfsctl.render.units import counted, human_bytes

_SIGNS = {"+": Style.NEW, "-": Style.DESTROYED, ">": Style.SENT, "~": Style.CHANGED, "=": Style.QUIET}
_WELL = (Result.DONE, Result.RUNNING)


def render_plan(plan: Plan, *, kept: bool = False) -> list[Line]:
    """A plan for a terminal; with `kept` also a line for each snapshot that stays."""
    entries = entries_of_plan(plan, kept=kept)
    return [
        *_groups(plan, entries),
        *_withheld(plan.approvals),
        *render_findings(plan.findings),
        line(Span(plan_totals(plan), Style.STRONG, pastes=True)),
    ]


def rows_of_plan(plan: Plan, *, kept: bool = False) -> list[Row]:
    """A plan for a pipe: sign, place, name, size, reason; findings begin with "!"."""
    return [
        *((e.sign, e.place, e.name, _bytes(e), e.why) for e in entries_of_plan(plan, kept=kept)),
        *_rows_of_requests(plan.approvals),
        *rows_of_findings(plan.findings),
    ]


def render_result(plan: Plan, outcomes: Sequence[StepOutcome], *, only_wrong: bool = False) -> list[Line]:
    """What became of a plan, for a terminal; `only_wrong` where the plan itself was just shown."""
    entries = entries_of_result(plan, outcomes)
    shown = [entry for entry in entries if not only_wrong or entry.result is not Result.DONE]
    return [
        *_groups(plan, shown),
        *([] if only_wrong else _withheld(plan.approvals)),
        *([] if only_wrong else render_findings(plan.findings)),
        line(Span(result_totals(plan, outcomes), Style.STRONG, pastes=True)),
    ]


def rows_of_result(plan: Plan, outcomes: Sequence[StepOutcome]) -> list[Row]:
    """What became of a plan, for a pipe: result, sign, place, name, size, reason or what went wrong."""
    return [
        *(
            (str(e.result), e.sign, e.place, e.name, _bytes(e), e.why if e.result is Result.DONE else e.detail or e.why)
            for e in entries_of_result(plan, outcomes)
        ),
        *_rows_of_requests(plan.approvals),
        *rows_of_findings(plan.findings),
    ]


def plan_totals(plan: Plan) -> str:
    """The last line of a plan."""
    counts = _counts(entries_of_plan(plan), freed=_freed(plan, "frees"))
    return f"Plan: {counts or _nothing(plan)}.{_kept_note(plan)}"


def _nothing(plan: Plan) -> str:
    if not plan.approvals:
        return "nothing to do"
    count = len(plan.approvals)
    return f"nothing, {count} {'waits' if count == 1 else 'wait'} for approval"


def result_totals(plan: Plan, outcomes: Sequence[StepOutcome]) -> str:
    """The last line of a result: what was done, then what was not and how."""
    entries = entries_of_result(plan, outcomes)
    done = [entry for entry in entries if entry.result is Result.DONE]
    whole = len(done) == len(entries)
    said = _counts(done, freed=_freed(plan, "freed") if whole else "") or (_nothing(plan) if whole else "nothing")
    wrong: dict[str, int] = {}
    for entry in entries:
        if entry.result is not None and entry.result is not Result.DONE:
            wrong[entry.result.value] = wrong.get(entry.result.value, 0) + 1
    not_done = ", ".join(f"{count} {word}" for word, count in wrong.items())
    return f"Done: {said}.{f' Not done: {not_done}.' if wrong else ''}{_kept_note(plan)}"


def count_of_destroys(plan: Plan) -> int:
    """How many snapshots a plan destroys: the number that a person types to confirm it."""
    return sum(len(step.snapshots) for step in plan.steps if isinstance(step, DestroySnapshots))


def _groups(plan: Plan, entries: Sequence[Entry]) -> Iterable[Line]:
    """A heading for each dataset and its lines below, in the order of the plan."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.host, entry.dataset), []).append(entry)
    known = {(planned.host, planned.dataset): planned for planned in plan.datasets}
    order = [place for place in known if place in groups] + [place for place in groups if place not in known]
    sizes = max((cells(_size(entry)) for entry in entries), default=0)
    sized = max((cells(_name(entry)) + 2 + sizes for entry in entries if entry.size is not None), default=0)
    names = max((cells(_name(entry)) for entry in entries if entry.size is None), default=0)
    filled = max(sized, names)
    headings = {place: _heading(place, known.get(place)) for place in order}
    width = max((cells(heading) for heading, _ in headings.values()), default=0)
    # The counts of a heading stand above the reasons, or to the right of the longest heading.
    width = max(width, 4 + filled)
    for place in order:
        heading, counts = headings[place]
        yield line(Span(padded(heading, width if counts else 0), Style.STRONG), Span(f"  {counts}" if counts else ""))
        for entry in groups[place]:
            yield _entry_line(entry, filled, max(sized - 2 - sizes, 0), sizes)


def _heading(place: tuple[str, str], planned: PlannedDataset | None) -> tuple[str, str]:
    host, dataset = place
    name = str(Place(host, dataset)) if dataset else host
    if planned is None:
        return name, ""
    counts = [counted(planned.snapshots, "snapshot")]
    if planned.receivers:
        counts.append(counted(planned.receivers, "receiver"))
    return f"{name}  ({planned.policy})" if planned.policy else name, ", ".join(counts)


def _entry_line(entry: Entry, filled: int, names: int, sizes: int) -> Line:
    """The reason begins at one place on all lines; a name without a size takes that column's room too."""
    size = "" if entry.size is None else f"  {padded(_size(entry), sizes, right=True)}"
    name = padded(_name(entry), names) + size if size else _name(entry)
    pieces = [Span(f"  {entry.sign} ", _SIGNS[entry.sign]), Span(padded(name, filled)), Span("  ")]
    if entry.result is None or entry.result is Result.DONE:
        about = "" if entry.estimate is None else f", about {human_bytes(entry.estimate)}"
        return (*pieces, Span(f"{entry.why}{about}"))
    worst = Style.QUIET if entry.result in _WELL else Style.CRITICAL
    return (*pieces, Span(entry.result.value, worst), Span(f": {entry.detail or entry.why}"))


def _name(entry: Entry) -> str:
    return entry.short or entry.name


def _size(entry: Entry) -> str:
    return "" if entry.size is None else human_bytes(entry.size)


def _bytes(entry: Entry) -> str:
    """For a pipe: what goes with it or is sent."""
    return _size(entry) if entry.estimate is None else human_bytes(entry.estimate)


def _withheld(requests: Iterable[ApprovalRequest]) -> Iterable[Line]:
    for request in requests:
        place = Place(request.host, request.dataset)
        what = counted(len(request.snapshots), "destroy") if request.destroys else f"the {request.kind}"
        yield line(Span("withheld:", Style.WARNING), f" {what} of {place}: {request.why}")
        yield try_line(f"zfsctl approvals approve {request.id}")


def _rows_of_requests(requests: Iterable[ApprovalRequest]) -> Iterable[Row]:
    for request in requests:
        place = str(Place(request.host, request.dataset))
        hint = f"zfsctl approvals approve {request.id}"
        count = f"{counted(len(request.snapshots), 'destroy')}: " if request.destroys else ""
        yield ("!", place, "withheld", request.kind, f"{count}{request.why}", hint)


def _counts(entries: Sequence[Entry], *, freed: str) -> str:
    kinds = [entry.kind for entry in entries]
    notes = {Kind.DESTROY: freed, Kind.TRANSFER: _sent(entries), Kind.RELEASE: _released(entries)}
    return ", ".join(counted(kinds.count(kind), *kind.value) + notes.get(kind, "") for kind in Kind if kind in kinds)


def _sent(entries: Sequence[Entry]) -> str:
    """What is sent altogether, where it is known of every transfer."""
    sizes = [entry.estimate for entry in entries if entry.kind is Kind.TRANSFER]
    known = [size for size in sizes if size is not None]
    return f" (about {human_bytes(sum(known))})" if known and len(known) == len(sizes) else ""


def _released(entries: Sequence[Entry]) -> str:
    """The space of the datasets that go."""
    sizes = [entry.size for entry in entries if entry.kind is Kind.RELEASE]
    known = [size for size in sizes if size is not None]
    return f" of {human_bytes(sum(known))}" if known and len(known) == len(sizes) else ""


def _freed(plan: Plan, word: str) -> str:
    """ZFS's own estimate, where it was asked for every destroy of the plan."""
    frees = [step.frees for step in plan.steps if isinstance(step, DestroySnapshots)]
    known = [size for size in frees if size is not None]
    return f" ({word} about {human_bytes(sum(known))})" if known and len(known) == len(frees) else ""


def _kept_note(plan: Plan) -> str:
    kept = [decision for decision in plan.decisions if decision.verdict is Verdict.KEEP]
    if not kept:
        return ""
    changed = next((step for step in plan.steps if isinstance(step, DestroySnapshots)), None)
    about = Place(changed.host, changed.dataset) if changed else Place(kept[0].host, kept[0].dataset)
    return f" {len(kept)} kept: zfsctl explain {about.argument}"

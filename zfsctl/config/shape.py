"""The shape of the policy file: every key, its type, and what a single value must look like.

Whatever needs a second value to be judged (names that must exist, selections that must not tie) is in checks.py.
Only load.py imports this module, when it has a document: pydantic-settings is the most expensive import of all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from zfsctl.config import replication_values, values
from zfsctl.model.names import Place
from zfsctl.model.policy import KeepRule, Pattern, Schedule
from zfsctl.model.replication import Chosen, Initial, Raw, Repair, Replication, Route
from zfsctl.planner.matching import selects_host

PolicyText = Annotated[str, BeforeValidator(values.policy_name)]
Seconds = Annotated[int, BeforeValidator(values.duration)]
Bytes = Annotated[int, BeforeValidator(values.size)]
Selection = Annotated[list[Annotated[Pattern, BeforeValidator(values.selection)]], BeforeValidator(values.filled_list)]


class Table(BaseModel):
    """A table of the file: unknown keys are refused, and no value is made into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class SshTable(Table):
    """`[ssh]`."""

    user: Annotated[str, BeforeValidator(values.user)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    identity_file: Annotated[str, BeforeValidator(values.file_path)] | None = None
    known_hosts: Annotated[str, BeforeValidator(values.file_path)] | None = None
    proxy_jump: Annotated[str, BeforeValidator(values.proxy_jump)] | None = None
    timeout: Seconds | None = None
    sudo: bool | None = None
    transport: Literal["fabric", "openssh"] | None = None


class HostTable(SshTable):
    """One entry of `[hosts]`; `name = "address"` stands for `name = { hostname = "address" }`."""

    hostname: Annotated[str, BeforeValidator(values.hostname)] | None = None


class KeepTable(Table):
    """`keep`: each entry a count or a window."""

    last: Annotated[KeepRule, BeforeValidator(values.keep_count("last"))] | None = None
    within: Annotated[KeepRule, BeforeValidator(values.keep_window("within"))] | None = None
    hourly: Annotated[KeepRule, BeforeValidator(values.keep_period("hourly"))] | None = None
    daily: Annotated[KeepRule, BeforeValidator(values.keep_period("daily"))] | None = None
    weekly: Annotated[KeepRule, BeforeValidator(values.keep_period("weekly"))] | None = None
    monthly: Annotated[KeepRule, BeforeValidator(values.keep_period("monthly"))] | None = None
    yearly: Annotated[KeepRule, BeforeValidator(values.keep_period("yearly"))] | None = None

    def rules(self) -> tuple[KeepRule, ...]:
        """The rules that are set, in the order of the design."""
        every = (self.last, self.within, self.hourly, self.daily, self.weekly, self.monthly, self.yearly)
        return tuple(rule for rule in every if rule is not None)


FilledKeep = Annotated[KeepTable, BeforeValidator(values.filled_keep)]


class PolicyTable(Table):
    """`[policies.NAME]`."""

    keep: FilledKeep
    snapshot: Annotated[Schedule, BeforeValidator(values.schedule)] | None = None
    skip_empty: bool = False


class DatasetsTable(Table):
    """One `[[datasets]]`."""

    select: Selection
    policy: PolicyText
    exclude: list[Annotated[Pattern, BeforeValidator(values.exclusion)]] = []
    adopt: list[Annotated[str, BeforeValidator(values.adoption)]] = []


class HookTable(Table):
    """One `[[hooks]]`."""

    name: Annotated[str, BeforeValidator(values.hook_name)]
    select: Selection
    before: Annotated[list[str], BeforeValidator(values.command)] = []
    after: Annotated[list[str], BeforeValidator(values.command)] = []
    timeout: Seconds = 60


_TIME_TO_ACT = 7 * 86400
_DEFAULT = Replication("", "", Pattern("", "", ""), "", "")


class ReplicationTable(Table):
    """One `[[replications]]`."""

    name: Annotated[str, BeforeValidator(replication_values.replication_name)]
    sender: Annotated[Pattern, BeforeValidator(replication_values.sender)]
    receiver: Annotated[Place, BeforeValidator(replication_values.receiver)]
    route: Annotated[Route, BeforeValidator(values.word(Route))] | None = None
    warn_after: Seconds = _DEFAULT.warn_after
    max_delay: Seconds = _DEFAULT.max_delay
    repair: Annotated[Repair, BeforeValidator(values.word(Repair))] = _DEFAULT.repair
    keep: FilledKeep | None = None
    raw: Annotated[Raw, BeforeValidator(values.word(Raw))] = _DEFAULT.raw
    initial: Annotated[Initial, BeforeValidator(values.word(Initial))] = _DEFAULT.initial
    snapshots: Annotated[Chosen, BeforeValidator(values.word(Chosen))] = _DEFAULT.snapshots
    bandwidth: Bytes | None = None
    parallel: Annotated[int, BeforeValidator(replication_values.parallel)] = _DEFAULT.parallel
    pending_limit: Seconds = _DEFAULT.pending_limit
    away: Seconds | None = None
    properties: Annotated[
        list[Annotated[str, BeforeValidator(replication_values.carried_property)]],
        BeforeValidator(replication_values.properties),
    ] = []
    compress: bool = False

    @property
    def alarms_after(self) -> tuple[str, int]:
        """The key and the seconds after which the latest alarm about this replication comes."""
        away = self.away or 0
        return ("away", away) if away > self.max_delay else ("max_delay", self.max_delay)

    @property
    def waits_for(self) -> int:
        """pending_limit; where it is not said, long enough for every alarm to come first."""
        if "pending_limit" in self.model_fields_set:
            return self.pending_limit
        return max(self.pending_limit, self.alarms_after[1] + _TIME_TO_ACT)

    def replication(self, where: str, hosts: Collection[str]) -> Replication:
        """It as a value; `hosts` are those of the policy. Without a route: relay, and local within one host.

        Within one host too it is relay where there is a bandwidth, which only the relay can keep to.
        """
        senders = {host for host in hosts if selects_host(self.sender, host)}
        stays = senders == {self.receiver.host} and self.bandwidth is None
        return Replication(
            name=self.name,
            where=where,
            sender=self.sender,
            receiver_host=self.receiver.host,
            receiver_dataset=self.receiver.dataset,
            route=self.route or (Route.LOCAL if stays else Route.RELAY),
            warn_after=self.warn_after,
            max_delay=self.max_delay,
            repair=self.repair,
            keep=self.keep.rules() if self.keep else (),
            raw=self.raw,
            initial=self.initial,
            snapshots=self.snapshots,
            bandwidth=self.bandwidth,
            parallel=self.parallel,
            pending_limit=self.waits_for,
            away=self.away,
            properties=tuple(self.properties),
            compress=self.compress,
        )


class PolicyDocument(BaseSettings):
    """The whole file. Environment variables are no source: they never set retention or hosts."""

    model_config = SettingsConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)

    timezone: Annotated[str, BeforeValidator(values.timezone)] = "UTC"
    prefix: Annotated[str, BeforeValidator(values.prefix)] = "zfsctl"
    read_only: bool = False
    ssh: SshTable = SshTable()
    hosts: dict[str, Annotated[HostTable, BeforeValidator(values.host_entry)]] = {}
    policies: dict[str, PolicyTable] = {}
    datasets: list[DatasetsTable] = []
    hooks: list[HookTable] = []
    replications: list[ReplicationTable] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

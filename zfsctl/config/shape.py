"""The shape of the policy file: every key, its type, and what a single value must look like.

Whatever needs a second value to be judged (names that must exist, selections that must not tie) is in checks.py.
Only load.py imports this module, when it has a document: pydantic-settings is the most expensive import of all.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from zfsctl.config import values
from zfsctl.model.policy import KeepRule, Pattern, Schedule

PolicyText = Annotated[str, BeforeValidator(values.policy_name)]
Seconds = Annotated[int, BeforeValidator(values.duration)]
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


class PolicyTable(Table):
    """`[policies.NAME]`."""

    keep: Annotated[KeepTable, BeforeValidator(values.filled_keep)]
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

"""The policy file and what its check found, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding
from zfsctl.model.checking import ConfigCheck, LoginCheck, ReplicationCheck, RuleCheck
from zfsctl.model.names import Place

if TYPE_CHECKING:
    from zfsctl.documents.view_types import (
        ConfigDocument,
        LoginCheckDocument,
        PlaceDocument,
        ReplicationCheckDocument,
        RuleCheckDocument,
    )


def document_of_config_check(check: ConfigCheck) -> ConfigDocument:
    """The data of a `zfsctl.config/1` document for a check."""
    return {
        "files": list(check.files),
        "logins": [_login(login) for login in check.logins],
        "rules": [_rule(rule) for rule in check.rules],
        "replications": [_replication(one) for one in check.replications],
        "findings": [document_of_finding(finding) for finding in check.findings],
        "text": "",
        "errors": [],
    }


def document_of_config_text(files: Sequence[str], text: str) -> ConfigDocument:
    """The data of a `zfsctl.config/1` document for a policy that is shown or was written, as TOML."""
    return {
        "files": list(files),
        "logins": [],
        "rules": [],
        "replications": [],
        "findings": [],
        "text": text,
        "errors": [],
    }


def _login(login: LoginCheck) -> LoginCheckDocument:
    return {
        "host": login.host,
        "way": login.way,
        "works": login.works,
        "why": login.why,
        "version": login.version,
    }


def _rule(rule: RuleCheck) -> RuleCheckDocument:
    return {
        "where": rule.where,
        "select": list(rule.select),
        "policy": rule.policy,
        "datasets": [{"host": host, "dataset": dataset} for host, dataset in rule.datasets],
    }


def _replication(one: ReplicationCheck) -> ReplicationCheckDocument:
    return {
        "name": one.name,
        "where": one.where,
        "route": one.route.value,
        "trees": [
            {
                "sender": _place(tree.sender),
                "receiver": _place(tree.receiver),
                "datasets": list(tree.datasets),
                "why": tree.why,
            }
            for tree in one.trees
        ],
    }


def _place(place: Place) -> PlaceDocument:
    return {"host": place.host, "dataset": place.dataset}

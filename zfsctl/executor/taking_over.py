"""Whether somebody took a receiver into use since the plan was made: the streams before its own may have taken days."""

from __future__ import annotations

from zfsctl.hosts.protocol import Host
from zfsctl.model.dataset import why_in_use
from zfsctl.model.lineage import LinkState
from zfsctl.model.transfer import Transfer
from zfsctl.zfs.repairing import argv_list_places, parse_places


def why_taken_over(step: Transfer, host: Host) -> str:
    """Why nothing is received there now; empty where nothing speaks against it, or `zfs receive` will say it itself.

    A first copy goes into nothing that anybody could use: what is there by then refuses a full stream.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known.
        UnreadableOutputError: An answer that is not what OpenZFS prints.
    """
    if step.receiver_guid is None or step.state is LinkState.MISSING:
        return ""
    listing = host.run(argv_list_places(step.receiver))
    here = parse_places(listing.stdout).get(step.receiver) if listing.clean else None
    return "" if here is None else why_in_use(here.kind, readonly=here.readonly, mounted=here.mounted)

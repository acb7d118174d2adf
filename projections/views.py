"""Every view there is, in the order in which they are built and listed."""

from __future__ import annotations

from .activity import ACTIVITY
from .assignments import ASSIGNMENTS
from .commission import COMMISSION
from .docket import DOCKET
from .follow_ups_due import FOLLOW_UPS_DUE
from .ownership import OWNERSHIP
from .timeline import TIMELINE
from .turn_board import TURN_BOARD
from .view import View

VIEWS: dict[str, View] = {
    view.name: view
    for view in (OWNERSHIP, TIMELINE, FOLLOW_UPS_DUE, DOCKET, COMMISSION, ACTIVITY, TURN_BOARD, ASSIGNMENTS)
}

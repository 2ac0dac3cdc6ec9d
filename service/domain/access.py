"""Who calls, and what each role may do."""

from dataclasses import dataclass

from service.contract.access import Role

IMPLIED: dict[Role, frozenset[Role]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.USER: frozenset({Role.VIEWER, Role.USER}),
    Role.ADMIN: frozenset({Role.VIEWER, Role.USER, Role.ADMIN}),
    Role.WORKER: frozenset({Role.WORKER}),
}
"""By role all roles whose rights it has."""

ADMIN_NAME = "admin"
"""Who sends the token of the server's settings; no token of another role has this name."""
WORKER_NAME = "worker"
"""Who sends the settings' token for workers; no token of another role has this name."""
RESERVED = {ADMIN_NAME: Role.ADMIN, WORKER_NAME: Role.WORKER}
"""By name the role that its tokens have."""


@dataclass(frozen=True)
class Caller:
    """Who sends a request: the name of a token and its role.

    `name` is None on a server without tokens, where everybody on the machine may do everything.
    """

    name: str | None
    role: Role
    token_id: str | None = None
    is_worker_too: bool = False

    def may(self, role: Role) -> bool:
        """Whether the caller has the rights of a role."""
        return role in IMPLIED[self.role] or (self.is_worker_too and role is Role.WORKER)

    def owns(self, submitted_by: str | None) -> bool:
        """Whether the caller may steer a job that was submitted by somebody, or by nobody known."""
        if self.may(Role.ADMIN):
            return True
        return self.may(Role.USER) and self.name is not None and self.name == submitted_by

    @property
    def reader(self) -> "Caller":
        """The caller as far as an answer depends on it: equal for all who are shown the same."""
        if self.may(Role.ADMIN):
            return SERVER
        return Caller(self.name if self.may(Role.USER) else None, self.role)


SERVER = Caller(None, Role.ADMIN, is_worker_too=True)
"""The server itself, and everybody on the machine of a server without tokens."""

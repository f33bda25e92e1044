#!/usr/bin/env python3
"""Writes tests/unit/hub/scope_table.tsv: what JupyterHub itself says about scopes, for test_scope.c.

By hand, with JupyterHub 6.1.1 (pip install jupyterhub==6.1.1 in a virtual environment):
    python3 tests/support/scope_table.py > tests/unit/hub/scope_table.tsv

Rows, tab-separated. WHO is user:NAME or service:NAME; lists are separated by spaces; "-" is none.
  world    user|group …                          who there is
  things   target …                              what a list may show
  contains SCOPE, all that it contains
  expand   WHO, CLIENT, scopes as written, scopes expanded
  allow    WHO, scopes of the owner, CLIENT, scopes of the token, scope asked, target, allow|lack|hide
  list     WHO, scopes of the owner, CLIENT, scopes of the token, scope asked, targets seen
  grant    WHO, scopes of the owner, scopes asked for a token, yes|no
"""

import itertools
import logging
import random
import warnings

from jupyterhub import orm, scopes

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
random.seed(7)

GROUPS = {"physics": ["alice", "bob"], "staff": ["alice"], "empty": []}
USERS = ["alice", "bob", "carol"]
SERVERS = ["alice/", "alice/gpu", "bob/", "carol/lab"]
SERVICES = ["culler", "grader"]
TARGETS = (["-"] + [f"user={u}" for u in USERS] + [f"server={s}" for s in SERVERS]
           + [f"group={g}" for g in GROUPS] + [f"service={s}" for s in SERVICES])
ROLES = {
    "user": ["self"],
    "server": ["users:activity!user", "access:servers!server"],
    "none": [],
    "physics": ["self", "read:users!group=physics", "servers!group=physics", "list:users!group=physics"],
    "helper": ["self", "servers!user=bob", "read:users!user=bob", "access:servers!server=carol/lab"],
    "groups": ["groups!group=staff", "read:groups!group=physics", "list:users", "read:roles:users!user=carol"],
    "shares": ["self", "shares!user", "shares!server=bob/", "users:shares!group=physics"],
    "culler": ["list:users", "read:users:activity", "read:servers", "delete:servers", "servers!group=staff"],
    "services": ["read:services!service=culler", "access:services!service", "list:services", "admin:services!service=grader"],
    "wide": ["admin:users!group=physics", "admin:servers!group=physics", "tokens!group=staff", "read:hub"],
}
TOKENS = [
    ["inherit"], ["self"], [], ["read:users!user"], ["servers!server"], ["servers!server=alice/gpu"],
    ["servers!group=physics"], ["read:servers!user=bob", "access:servers"], ["users", "tokens", "read:hub"],
    ["(no_scope)"], ["access:services!service", "shares!group=physics"], ["inherit", "read:hub"],
    ["list:users!user=alice", "list:users!user=carol", "groups!group=physics"],
]


class World:
    def __init__(self):
        self.db = orm.new_session_factory("sqlite:///:memory:")()
        for name in USERS:
            self.db.add(orm.User(name=name))
        self.db.flush()
        self.users = {u.name: u for u in self.db.query(orm.User)}
        for name, members in GROUPS.items():
            group = orm.Group(name=name)
            group.users = [self.users[m] for m in members]
            self.db.add(group)
        for name in SERVICES:
            self.db.add(orm.Service(name=name))
        self.clients = {"-": orm.OAuthClient(identifier="jupyterhub", secret="", redirect_uri="")}
        for full in SERVERS:
            user, _, name = full.partition("/")
            spawner = orm.Spawner(name=name, user=self.users[user])
            client = orm.OAuthClient(identifier=f"jupyterhub-user-{full}", secret="", redirect_uri="")
            spawner.oauth_client = client
            self.db.add(spawner)
            self.clients[f"server={full}"] = client
        self.db.flush()
        self.services = {s.name: s for s in self.db.query(orm.Service)}
        for name, service in self.services.items():
            client = orm.OAuthClient(identifier=f"service-{name}", secret="", redirect_uri="")
            service.oauth_client = client
            self.clients[f"service={name}"] = client
        self.db.add_all(self.clients.values())
        self.db.commit()
        self.count = itertools.count()

    def owner(self, who):
        kind, _, name = who.partition(":")
        return self.users[name] if kind == "user" else self.services[name]

    def give(self, who, held):
        """The owner has one role with these scopes."""
        owner = self.owner(who)
        role = orm.Role(name=f"role-{next(self.count)}", scopes=sorted(held))
        self.db.add(role)
        owner.roles = [role]
        self.db.commit()
        return owner

    def held(self, who, of_owner, client, of_token):
        owner = self.give(who, of_owner)
        if of_token is None:
            return scopes.get_scopes_for(owner)
        token = orm.APIToken(scopes=list(of_token), client_id=self.clients[client].identifier)
        token.oauth_client = self.clients[client]
        if who.startswith("user:"):
            token.user = owner
        else:
            token.service = owner
        token.token = f"{next(self.count):064d}"
        self.db.add(token)
        self.db.commit()
        found = scopes.get_scopes_for(token)
        self.db.delete(token)
        self.db.commit()
        return found

    def allow(self, held, scope, target):
        parsed = scopes.parse_scopes(held)
        asked = scope if target == "-" else f"{scope}!{target}"
        if scopes.has_scope(asked, parsed, db=self.db):
            return "allow"
        return "hide" if target != "-" and scope in parsed else "lack"

    def seen(self, held, scope):
        parsed = scopes.parse_scopes(held)
        if scope not in parsed:
            return []
        things = [("user", u.name, u) for u in self.users.values()]
        things += [("server", f"{s.user.name}/{s.name}", s) for s in self.db.query(orm.Spawner)]
        things += [("group", g.name, g) for g in self.db.query(orm.Group)]
        things += [("service", s.name, s) for s in self.services.values()]
        return [f"{kind}={name}" for kind, name, thing in things
                if scopes.check_scope_filter(parsed[scope], thing, kind)]


def text(items):
    return "-" if items is None else " ".join(sorted(items))


def row(*cells):
    print("\t".join(cells))


def main():
    world = World()
    names = sorted(scopes.scope_definitions)
    for name in USERS:
        row("world", name, *[g for g in GROUPS if name in GROUPS[g]])
    row("things", *TARGETS[1:])
    for name in names:
        row("contains", name, text(scopes._expand_scope(name)))

    filters = ["", "!user", "!server", "!service", "!user=bob", "!server=alice/gpu", "!group=physics", "!service=grader"]
    for who, client in [("user:alice", "-"), ("user:alice", "server=alice/gpu"), ("service:culler", "-")]:
        real = None if client == "-" else world.clients[client]
        for name, kind in itertools.product(names, filters):
            if random.random() < 0.35 or name in ("self", "inherit", "servers"):
                row("expand", who, client, name + kind,
                    text(scopes.expand_scopes([name + kind], owner=world.owner(who), oauth_client=real)))

    cases = []
    for who in ("user:alice", "user:carol", "service:culler"):
        for role, of_token in itertools.product(ROLES.values(), [None, *TOKENS]):
            client = random.choice(list(world.clients)) if of_token is not None else "-"
            cases.append((who, role, client, of_token))
    admin = [r for r in __import__("jupyterhub.roles").roles.get_default_roles() if r["name"] == "admin"][0]["scopes"]
    cases += [("user:bob", admin, "-", None), ("service:grader", admin, "-", ["inherit"]),
              ("user:bob", admin + ["self"], "server=bob/", ["self"]), ("user:bob", admin, "-", ["admin:users"])]
    for who, role, client, of_token in cases:
        held = world.held(who, role, client, of_token)
        owner = (who, text(role) or "", client, text(of_token))
        had = sorted({h.partition("!")[0] for h in held})
        asked = {*random.sample(names, 1), *random.sample(had, min(2, len(had)))}
        for scope in sorted(asked):
            for target in random.sample(TARGETS, 2):
                row("allow", *owner, scope, target, world.allow(held, scope, target))
        for scope in random.sample(had, min(1, len(had))):
            row("list", *owner, scope, text(world.seen(held, scope)))
    for who, role in itertools.product(("user:alice", "user:carol", "service:culler"), ROLES.values()):
        owner = world.give(who, role)
        for of_token in TOKENS:
            try:
                scopes._check_token_scopes(of_token, owner, world.clients["-"])
                said = "yes"
            except ValueError:
                said = "no"
            row("grant", who, text(role), text(of_token), said)


main()

//! The one table of routes: by it requests are led on, and of it the document is made.

use super::permissions::Whose::{Group, User};
use super::route::Verb::{Delete, Get, Post, Put};
use super::route::{Operation, Parameter, Route, Work, admin, operation};
use super::shapes::{
    CREDENTIALS, GROUP, GROUP_CHANGE, GROUPS, LOOKUP, LOOKUPS, ONE_TOKEN, PERMISSION, PERMISSIONS,
    PROVISION, PROVISION_RESULT, RESTORATION, REVOCATION, REVOKED_TOKENS, SESSIONS, TABLE,
    TABLE_PATH, TABLE_PATHS, TABLES, TOKEN, TOKEN_FACTS, TOKEN_REQUEST, USER, USER_CHANGE, USERS,
};
use super::{groups, login, lookups, permissions, provisioning, sessions, tokens, users};

/// Every route, in the order in which people read them.
pub(super) static ROUTES: &[Route] = &[
    Route {
        path: "/login",
        operations: LOGIN,
    },
    Route {
        path: "/openapi.json",
        operations: DOCUMENT,
    },
    Route {
        path: "/users",
        operations: ALL_USERS,
    },
    Route {
        path: "/users/{name}",
        operations: ONE_USER,
    },
    Route {
        path: "/users/{name}/groups/{group}",
        operations: MEMBERSHIP,
    },
    Route {
        path: "/users/{name}/permissions",
        operations: USER_RULES,
    },
    Route {
        path: "/groups",
        operations: ALL_GROUPS,
    },
    Route {
        path: "/groups/{name}",
        operations: ONE_GROUP,
    },
    Route {
        path: "/groups/{name}/permissions",
        operations: GROUP_RULES,
    },
    Route {
        path: "/groups/{name}/lookup-permissions",
        operations: GROUP_LOOKUPS,
    },
    Route {
        path: "/lookup-tables",
        operations: ALL_TABLES,
    },
    Route {
        path: "/lookup-tables/{name}",
        operations: ONE_TABLE,
    },
    Route {
        path: "/lookup-tables/{name}/paths",
        operations: TABLE_ENTRIES,
    },
    Route {
        path: "/sessions",
        operations: ALL_SESSIONS,
    },
    Route {
        path: "/sessions/{id}",
        operations: ONE_SESSION,
    },
    Route {
        path: "/tokens",
        operations: ALL_TOKENS,
    },
    Route {
        path: "/tokens/inspect",
        operations: INSPECTION,
    },
    Route {
        path: "/tokens/revoked",
        operations: REVOCATIONS,
    },
    Route {
        path: "/provision",
        operations: PROVISIONING,
    },
];

static NAMED_PAGE: &[Parameter] = &[
    Parameter::text(
        "name",
        "A name, which may hold * for any text; * when missing.",
    ),
    Parameter::number("limit", "How many at most, up to 1000; 100 when missing."),
    Parameter::number("skip", "How many to leave out first."),
];
static PAGE: &[Parameter] = &[
    Parameter::number("limit", "How many at most, up to 1000; 100 when missing."),
    Parameter::number("skip", "How many to leave out first."),
];
static SESSION_PAGE: &[Parameter] = &[
    Parameter::text("user", "Only those of this user."),
    Parameter::number("limit", "How many at most, up to 1000; 100 when missing."),
    Parameter::number("skip", "How many to leave out first."),
];
static RULE: &[Parameter] = &[
    Parameter::text("path", "The path of the rule.").needed(),
    Parameter::text(
        "action",
        "An action to take out of it; without any the whole rule goes.",
    )
    .repeated(),
];
static LOOKUP_RULE: &[Parameter] = &[
    Parameter::text("table", "The table.").needed(),
    Parameter::text("regex", "Only those with this regex."),
    Parameter::text("path", "Only those with this path."),
];
static ENTRY: &[Parameter] = &[Parameter::text("path", "The path.").needed()];

static LOGIN: &[Operation] = &[operation(
    Post,
    "logIn",
    "Makes a token for an administrator. Over a network with https only.",
    Work::Login(|call| Box::pin(login::log_in(call))),
)
.takes(&CREDENTIALS)
.answers(&[200], &TOKEN)];

static DOCUMENT: &[Operation] =
    &[operation(Get, "document", "This document.", Work::Document).answering(&[200])];

static ALL_USERS: &[Operation] = &[admin(Get, "listUsers", "Users by name.", |call| {
    Box::pin(users::list(call))
})
.with(NAMED_PAGE)
.answers(&[200], &USERS)];

static ONE_USER: &[Operation] = &[
    admin(Get, "showUser", "One user.", |call| {
        Box::pin(users::show(call))
    })
    .answers(&[200], &USER),
    admin(
        Put,
        "putUser",
        "Makes a user, or changes what the body says of one.",
        |call| Box::pin(users::put(call)),
    )
    .takes(&USER_CHANGE)
    .answers(&[200, 201], &USER),
    admin(
        Delete,
        "removeUser",
        "Deletes a user with its rules and memberships; its sessions end.",
        |call| Box::pin(users::remove(call)),
    ),
];

static MEMBERSHIP: &[Operation] = &[
    admin(Put, "joinGroup", "Puts a user into a group.", |call| {
        Box::pin(users::join(call))
    }),
    admin(
        Delete,
        "leaveGroup",
        "Takes a user out of a group.",
        |call| Box::pin(users::leave(call)),
    ),
];

static USER_RULES: &[Operation] = &[
    admin(
        Get,
        "listUserPermissions",
        "The rules of one user.",
        |call| Box::pin(permissions::list(call, User)),
    )
    .answers(&[200], &PERMISSIONS),
    admin(
        Put,
        "putUserPermission",
        "Allows and prohibits actions on a path. What is stored stays.",
        |call| Box::pin(permissions::put(call, User)),
    )
    .takes(&PERMISSION),
    admin(
        Delete,
        "removeUserPermission",
        "Takes a rule away, or some of its actions.",
        |call| Box::pin(permissions::remove(call, User)),
    )
    .with(RULE),
];

static ALL_GROUPS: &[Operation] = &[admin(Get, "listGroups", "Groups by name.", |call| {
    Box::pin(groups::list(call))
})
.with(NAMED_PAGE)
.answers(&[200], &GROUPS)];

static ONE_GROUP: &[Operation] = &[
    admin(Get, "showGroup", "One group.", |call| {
        Box::pin(groups::show(call))
    })
    .answers(&[200], &GROUP),
    admin(
        Put,
        "putGroup",
        "Makes a group, or changes what the body says of one.",
        |call| Box::pin(groups::put(call)),
    )
    .takes(&GROUP_CHANGE)
    .answers(&[200, 201], &GROUP),
    admin(
        Delete,
        "removeGroup",
        "Deletes a group with its rules and memberships.",
        |call| Box::pin(groups::remove(call)),
    ),
];

static GROUP_RULES: &[Operation] = &[
    admin(
        Get,
        "listGroupPermissions",
        "The rules of one group.",
        |call| Box::pin(permissions::list(call, Group)),
    )
    .answers(&[200], &PERMISSIONS),
    admin(
        Put,
        "putGroupPermission",
        "Allows and prohibits actions on a path. What is stored stays.",
        |call| Box::pin(permissions::put(call, Group)),
    )
    .takes(&PERMISSION),
    admin(
        Delete,
        "removeGroupPermission",
        "Takes a rule away, or some of its actions.",
        |call| Box::pin(permissions::remove(call, Group)),
    )
    .with(RULE),
];

static GROUP_LOOKUPS: &[Operation] = &[
    admin(
        Get,
        "listLookupPermissions",
        "The lookup permissions of one group.",
        |call| Box::pin(lookups::permissions(call)),
    )
    .answers(&[200], &LOOKUPS),
    admin(
        Put,
        "grantLookup",
        "Gives a group a lookup permission.",
        |call| Box::pin(lookups::grant(call)),
    )
    .takes(&LOOKUP),
    admin(
        Delete,
        "revokeLookup",
        "Takes lookup permissions on a table from a group.",
        |call| Box::pin(lookups::revoke(call)),
    )
    .with(LOOKUP_RULE),
];

static ALL_TABLES: &[Operation] = &[admin(
    Get,
    "listLookupTables",
    "The names of lookup tables.",
    |call| Box::pin(lookups::list(call)),
)
.with(PAGE)
.answers(&[200], &TABLES)];

static ONE_TABLE: &[Operation] = &[
    admin(Get, "showLookupTable", "One lookup table.", |call| {
        Box::pin(lookups::show(call))
    })
    .answers(&[200], &TABLE),
    admin(
        Put,
        "putLookupTable",
        "Makes a lookup table, or adds paths to one.",
        |call| Box::pin(lookups::put(call)),
    )
    .takes(&TABLE_PATHS)
    .answers(&[200, 201], &TABLE),
    admin(
        Delete,
        "removeLookupTable",
        "Deletes a lookup table.",
        |call| Box::pin(lookups::remove(call)),
    ),
];

static TABLE_ENTRIES: &[Operation] = &[
    admin(
        Put,
        "addLookupPath",
        "Adds a path to a lookup table.",
        |call| Box::pin(lookups::add_path(call)),
    )
    .takes(&TABLE_PATH),
    admin(
        Delete,
        "removeLookupPath",
        "Takes a path out of a lookup table.",
        |call| Box::pin(lookups::remove_path(call)),
    )
    .with(ENTRY),
];

static ALL_SESSIONS: &[Operation] = &[admin(
    Get,
    "listSessions",
    "Who is logged in on this node.",
    |call| Box::pin(sessions::list(call)),
)
.with(SESSION_PAGE)
.answers(&[200], &SESSIONS)];

static ONE_SESSION: &[Operation] = &[admin(
    Delete,
    "endSession",
    "Ends a session and all others of its token, which works nowhere any more.",
    |call| Box::pin(sessions::end(call)),
)];

static ALL_TOKENS: &[Operation] = &[admin(
    Post,
    "issueToken",
    "Makes a token that a user can log in with.",
    |call| Box::pin(tokens::issue(call)),
)
.takes(&TOKEN_REQUEST)
.answers(&[201], &TOKEN)];

static INSPECTION: &[Operation] = &[admin(Post, "inspectToken", "What a token says.", |call| {
    Box::pin(tokens::inspect(call))
})
.takes(&ONE_TOKEN)
.answers(&[200], &TOKEN_FACTS)];

static REVOCATIONS: &[Operation] = &[
    admin(
        Get,
        "listRevokedTokens",
        "Tokens that work no longer.",
        |call| Box::pin(tokens::revoked(call)),
    )
    .with(PAGE)
    .answers(&[200], &REVOKED_TOKENS),
    admin(
        Post,
        "revokeToken",
        "Takes the validity of a token away on every node; its sessions end.",
        |call| Box::pin(tokens::revoke(call)),
    )
    .takes(&REVOCATION),
    admin(
        Delete,
        "restoreToken",
        "Makes a revoked token valid again.",
        |call| Box::pin(tokens::restore(call)),
    )
    .takes(&RESTORATION),
];

static PROVISIONING: &[Operation] = &[admin(
    Post,
    "provision",
    "Makes sure of groups, users and tables: checked as a whole, applied where it is not so.",
    |call| Box::pin(provisioning::apply(call)),
)
.takes(&PROVISION)
.answers(&[200], &PROVISION_RESULT)];

//! The objects that requests and answers hold.

use super::shape::Kind::{
    Any, Flag, Many, Rules, Secret, Span, Text, TextOrNull, Texts, Until, Whole,
};
use super::shape::{Shape, needed, optional};

pub(super) static CREDENTIALS: Shape = Shape {
    name: "Credentials",
    members: &[
        needed("username", Text, "A member of the group _ADMIN."),
        needed("password", Secret, "Its password."),
    ],
};

pub(super) static TOKEN: Shape = Shape {
    name: "Token",
    members: &[
        needed("token", Secret, "The token."),
        needed("username", Text, "Whose it is."),
        needed(
            "expires",
            Until,
            "Until when it may be used, ms since 1970; null is for ever.",
        ),
    ],
};

pub(super) static USER: Shape = Shape {
    name: "User",
    members: &[
        needed("username", Text, "The name."),
        needed("groups", Texts, "The groups it is in."),
        optional("publicKey", Text, "The key for logins by digest."),
        optional("custom_data", Any, "What applications keep with it."),
        optional("created", Whole, "When it was stored first, ms since 1970."),
        optional("modified", Whole, "When it was stored last, ms since 1970."),
    ],
};

pub(super) static USERS: Shape = Shape {
    name: "Users",
    members: &[
        needed("items", Many(&USER), "A part of them, by name."),
        needed("total", Whole, "How many there are of that name."),
    ],
};

pub(super) static USER_CHANGE: Shape = Shape {
    name: "UserChange",
    members: &[
        optional(
            "password",
            Secret,
            "A new password. A new user needs one, or a publicKey.",
        ),
        optional("publicKey", Text, "A key for logins by digest."),
        optional(
            "groups",
            Texts,
            "The groups it is to be in, and no others. All of them must exist.",
        ),
        optional(
            "permissions",
            Rules,
            "Rules of its own, added to those it has.",
        ),
        optional(
            "custom_data",
            Any,
            "What applications keep with it; replaces what was there.",
        ),
    ],
};

pub(super) static GROUP: Shape = Shape {
    name: "Group",
    members: &[
        needed("name", Text, "The name."),
        optional("custom_data", Any, "What applications keep with it."),
        optional("created", Whole, "When it was stored first, ms since 1970."),
        optional("modified", Whole, "When it was stored last, ms since 1970."),
    ],
};

pub(super) static GROUPS: Shape = Shape {
    name: "Groups",
    members: &[
        needed("items", Many(&GROUP), "A part of them, by name."),
        needed("total", Whole, "How many there are of that name."),
    ],
};

pub(super) static GROUP_CHANGE: Shape = Shape {
    name: "GroupChange",
    members: &[
        optional("permissions", Rules, "Rules, added to those it has."),
        optional(
            "custom_data",
            Any,
            "What applications keep with it; replaces what was there.",
        ),
    ],
};

pub(super) static PERMISSION: Shape = Shape {
    name: "Permission",
    members: &[
        needed("path", Text, "Where; may hold * and templates."),
        optional("actions", Texts, "What is allowed there."),
        optional("prohibit", Texts, "What is prohibited there."),
    ],
};

pub(super) static PERMISSIONS: Shape = Shape {
    name: "Permissions",
    members: &[needed("items", Many(&PERMISSION), "All of them.")],
};

pub(super) static TABLE: Shape = Shape {
    name: "LookupTable",
    members: &[
        needed("name", Text, "The name."),
        needed("paths", Texts, "Its paths, without slash in front."),
    ],
};

pub(super) static TABLES: Shape = Shape {
    name: "LookupTables",
    members: &[
        needed("items", Texts, "A part of their names."),
        needed("total", Whole, "How many there are."),
    ],
};

pub(super) static TABLE_PATHS: Shape = Shape {
    name: "LookupPaths",
    members: &[needed("paths", Texts, "Paths, added to those it has.")],
};

pub(super) static TABLE_PATH: Shape = Shape {
    name: "LookupPath",
    members: &[needed("path", Text, "A path.")],
};

pub(super) static LOOKUP: Shape = Shape {
    name: "LookupPermission",
    members: &[
        needed("table", Text, "The table to look into."),
        needed("regex", Text, "What the path of a request must match."),
        needed("actions", Texts, "Which actions."),
        needed(
            "path",
            Text,
            "What to look for: a path with {{$1}} for captures.",
        ),
    ],
};

pub(super) static LOOKUPS: Shape = Shape {
    name: "LookupPermissions",
    members: &[needed("items", Many(&LOOKUP), "All of them.")],
};

pub(super) static SESSION: Shape = Shape {
    name: "Session",
    members: &[
        needed("id", Text, "The session's id."),
        needed("username", Text, "Who has logged in."),
        needed(
            "authType",
            Text,
            "How: password, digest, token, or a provider's name.",
        ),
        needed(
            "address",
            TextOrNull,
            "From where; null when it has just gone.",
        ),
        needed("since", Whole, "Since when, ms since 1970."),
        needed(
            "protocol",
            TextOrNull,
            "The protocol as the client names it.",
        ),
        optional(
            "info",
            Any,
            "What the client says of itself. Not to be trusted.",
        ),
    ],
};

pub(super) static SESSIONS: Shape = Shape {
    name: "Sessions",
    members: &[
        needed("items", Many(&SESSION), "A part of them, oldest first."),
        needed("total", Whole, "How many there are on this node."),
    ],
};

pub(super) static TOKEN_REQUEST: Shape = Shape {
    name: "TokenRequest",
    members: &[
        needed("username", Text, "Who is to use the token."),
        optional(
            "ttl",
            Span,
            "For how long at most; without it as long as a login of that user.",
        ),
    ],
};

pub(super) static ONE_TOKEN: Shape = Shape {
    name: "OneToken",
    members: &[needed("token", Secret, "The token.")],
};

pub(super) static TOKEN_FACTS: Shape = Shape {
    name: "TokenFacts",
    members: &[
        needed("id", Text, "The session that it stands for."),
        needed("username", Text, "Whose it is."),
        needed("origin", Text, "The node that made it."),
        needed("issued", Whole, "When, ms since 1970."),
        needed(
            "expires",
            Until,
            "Until when it may be used, ms since 1970; null is for ever.",
        ),
        needed("revoked", Flag, "Whether its validity was taken away."),
        needed("userExists", Flag, "Whether there still is such a user."),
    ],
};

pub(super) static REVOCATION: Shape = Shape {
    name: "Revocation",
    members: &[
        needed("token", Secret, "The token."),
        optional("reason", Text, "Why, for administrators."),
    ],
};

pub(super) static RESTORATION: Shape = Shape {
    name: "Restoration",
    members: &[
        optional("token", Secret, "The token; this or id."),
        optional(
            "id",
            Text,
            "The id that the list of revoked tokens shows; this or token.",
        ),
    ],
};

pub(super) static REVOKED: Shape = Shape {
    name: "RevokedToken",
    members: &[
        needed(
            "id",
            TextOrNull,
            "The session that it stood for; null for a token of another secret.",
        ),
        needed("username", TextOrNull, "Whose it is."),
        needed("reason", Text, "Why."),
        needed("revoked", Whole, "When, ms since 1970."),
        needed(
            "until",
            Until,
            "Until when it is remembered, ms since 1970; null is for ever.",
        ),
    ],
};

pub(super) static REVOKED_TOKENS: Shape = Shape {
    name: "RevokedTokens",
    members: &[
        needed("items", Many(&REVOKED), "A part of them."),
        needed("total", Whole, "How many there are."),
    ],
};

static PROVISION_GROUP: Shape = Shape {
    name: "ProvisionGroup",
    members: &[
        needed("name", Text, "The name."),
        optional("permissions", Rules, "Rules that it is to have."),
        optional("custom_data", Any, "What applications keep with it."),
    ],
};

static PROVISION_USER: Shape = Shape {
    name: "ProvisionUser",
    members: &[
        needed("username", Text, "The name."),
        optional("password", Secret, "The password it is to have."),
        optional("publicKey", Text, "The key for logins by digest."),
        optional("groups", Texts, "Groups that it is to be in."),
        optional("permissions", Rules, "Rules of its own that it is to have."),
        optional("custom_data", Any, "What applications keep with it."),
    ],
};

static PROVISION_LOOKUP: Shape = Shape {
    name: "ProvisionLookup",
    members: &[
        needed("group", Text, "Who is to have it."),
        needed("regex", Text, "What the path of a request must match."),
        needed("actions", Texts, "Which actions."),
        needed(
            "path",
            Text,
            "What to look for: a path with {{$1}} for captures.",
        ),
    ],
};

static PROVISION_TABLE: Shape = Shape {
    name: "ProvisionTable",
    members: &[
        needed("name", Text, "The name."),
        optional("paths", Texts, "Paths that it is to have."),
        optional("permissions", Many(&PROVISION_LOOKUP), "Who asks it."),
    ],
};

pub(super) static PROVISION: Shape = Shape {
    name: "Provision",
    members: &[
        optional(
            "groups",
            Many(&PROVISION_GROUP),
            "Groups that are to be there.",
        ),
        optional(
            "users",
            Many(&PROVISION_USER),
            "Users that are to be there.",
        ),
        optional(
            "lookupTables",
            Many(&PROVISION_TABLE),
            "Tables that are to be there.",
        ),
    ],
};

static PROVISIONED: Shape = Shape {
    name: "Provisioned",
    members: &[
        needed("kind", Text, "group, user or lookup table."),
        needed("name", Text, "Its name."),
        needed("change", Text, "What happened to it."),
    ],
};

pub(super) static PROVISION_RESULT: Shape = Shape {
    name: "ProvisionResult",
    members: &[needed(
        "changed",
        Many(&PROVISIONED),
        "What is different now.",
    )],
};

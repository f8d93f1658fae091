//! The keys of `services.security.config`.

use crate::config::key::{DURATION, Key, Preset, TTL, key};
use crate::config::kind::Kind;

pub(super) const KEYS: &[Key] = &[
    key(
        "services.security.config.adminUser.username",
        Kind::Text,
        Preset::Text("_ADMIN"),
        "The administrator's name, which cannot be changed.",
    )
    .inert(),
    key(
        "services.security.config.adminUser.password",
        Kind::Secret,
        Preset::Unset,
        "The administrator's password when it is made, alike on all nodes; without one, one is made up and shown once.",
    ),
    key(
        "services.security.config.adminUser.publicKey",
        Kind::Pem,
        Preset::Unset,
        "The administrator's key for logins by digest, when it is made.",
    ),
    key(
        "services.security.config.adminUser.custom_data",
        Kind::Options,
        Preset::Unset,
        "What applications keep with the administrator, when it is made.",
    ),
    key(
        "services.security.config.adminGroup.name",
        Kind::Text,
        Preset::Text("_ADMIN"),
        "The name of the administrators' group, which cannot be changed.",
    )
    .inert(),
    key(
        "services.security.config.adminGroup.permissions",
        Kind::Options,
        Preset::Unset,
        "Of no use here: administrators may do everything.",
    )
    .inert(),
    key(
        "services.security.config.adminGroup.custom_data",
        Kind::Options,
        Preset::Unset,
        "What applications keep with the administrators' group; written at every start.",
    ),
    key(
        "services.security.config.sessionTokenSecret",
        Kind::Secret,
        Preset::Unset,
        "What session tokens are signed with; the stored one, or one that is made up, when unset.",
    ),
    key(
        "services.security.config.pbkdf2Iterations",
        Kind::Whole {
            min: 1,
            max: 2_000_000,
        },
        Preset::Whole(210_000),
        "How much work it is to hash a new password.",
    ),
    key(
        "services.security.config.rehashPasswords",
        Kind::Switch,
        Preset::Switch(true),
        "Whether the hash of a password that took less work than new ones is replaced when its user logs in.",
    ),
    key(
        "services.security.config.defaultNonceTTL",
        DURATION,
        Preset::Whole(60_000),
        "How long the nonce of a login by digest may be used.",
    )
    .ms(),
    key(
        "services.security.config.lockTokenToLoginType",
        Kind::Switch,
        Preset::Switch(true),
        "Whether a token only works for the type of login that made it.",
    ),
    key(
        "services.security.config.lockTokenToUserId",
        Kind::Switch,
        Preset::Switch(false),
        "Whether a token works no longer once its user was deleted and made anew.",
    ),
    key(
        "services.security.config.accountLockout.enabled",
        Kind::Switch,
        Preset::Switch(true),
        "Whether whoever guesses passwords is locked out.",
    ),
    key(
        "services.security.config.accountLockout.attempts",
        Kind::Whole {
            min: 1,
            max: 1_000_000,
        },
        Preset::Whole(4),
        "How many wrong logins that takes.",
    ),
    key(
        "services.security.config.accountLockout.retryInterval",
        DURATION,
        Preset::Whole(600_000),
        "How long it lasts after the last wrong login.",
    )
    .ms(),
    key(
        "services.security.config.profiles",
        Kind::Profiles,
        Preset::Json("[]"),
        "Which sessions get which policies: a list of {name, session, policy}; three built-in ones follow.",
    ),
    key(
        "services.security.config.allowAnonymousAccess",
        Kind::Switch,
        Preset::Switch(false),
        "Whether _ANONYMOUS may log in, without a password.",
    ),
    key(
        "services.security.config.authProviders",
        Kind::Providers,
        Preset::Unset,
        "Who else may check logins: names of providers that the program around the node has registered; happn: false takes the node's own users and passwords out, but for _ADMIN.",
    ),
    key(
        "services.security.config.defaultAuthProvider",
        Kind::Text,
        Preset::Text("happn"),
        "Who checks logins that name nobody, of users who name nobody.",
    ),
    key(
        "services.security.config.allowUserChooseAuthProvider",
        Kind::Switch,
        Preset::Switch(true),
        "Whether a login may name who checks it.",
    ),
    key(
        "services.security.config.allowTTL0Revocations",
        Kind::Switch,
        Preset::Switch(true),
        "Whether a token without a ttl can be revoked; the revocation stays for ever.",
    ),
    key(
        "services.security.config.usernamesCaseInsensitive",
        Kind::Switch,
        Preset::Switch(false),
        "Whether upper and lower case of user names are the same.",
    ),
    key(
        "services.security.config.usernamesCaseInsensitiveExclude",
        Kind::Texts,
        Preset::Json("[]"),
        "User names of which they are not.",
    ),
    key(
        "services.security.config.updateSubscriptionsOnSecurityDirectoryChanged",
        Kind::Switch,
        Preset::Switch(true),
        "Whether subscriptions end when their session may no longer have them.",
    ),
    key(
        "services.security.config.looseMasks",
        Kind::Switch,
        Preset::Switch(false),
        "Whether masks of rules ignore letter case and take doubled characters as wildcards, as JavaScript nodes do.",
    ),
    key(
        "services.security.config.openCount",
        Kind::Switch,
        Preset::Switch(false),
        "Whether count needs no permission, as with JavaScript nodes.",
    ),
    key(
        "services.security.config.activateSessionManagement",
        Kind::Switch,
        Preset::Switch(false),
        "Of no use here: sessions and revoked tokens can always be listed.",
    )
    .inert(),
    key(
        "services.security.config.logSessionActivity",
        Kind::Switch,
        Preset::Switch(false),
        "Whether it is stored what each session did last, for administrators; written every few seconds.",
    ),
    key(
        "services.security.config.sessionActivityTTL",
        TTL,
        Preset::Whole(86_400_000),
        "How long that is kept.",
    )
    .ms(),
    key(
        "services.security.config.persistPermissions",
        Kind::Switch,
        Preset::Switch(true),
        "Whether the rules of groups are stored; if not, each node has its own, and loses them when it stops. Those of users and of groups whose name begins with _ always are.",
    ),
    key(
        "services.security.config.cookieName",
        Kind::Text,
        Preset::Text("happn_token"),
        "The cookie in which browsers keep their token.",
    )
    .also(&["services.connect.config.middleware.security.cookieName"]),
    key(
        "services.security.config.cookieDomain",
        Kind::Text,
        Preset::Unset,
        "The domain of that cookie; the page's own when unset.",
    )
    .also(&["services.connect.config.middleware.security.cookieDomain"]),
    key(
        "services.security.config.httpsCookie",
        Kind::Switch,
        Preset::Switch(false),
        "Whether that cookie has another name over https.",
    ),
    key(
        "services.security.config.keyPair",
        Kind::Options,
        Preset::Unset,
        "Of no use here: what travels is protected by TLS.",
    )
    .inert(),
    key(
        "services.security.config.audit",
        Kind::Options,
        Preset::Unset,
        "A key that never had an effect; who changed or was refused what is in the log.",
    )
    .inert(),
    key(
        "services.security.config.lookup",
        Kind::Options,
        Preset::Unset,
        "A key that never had an effect.",
    )
    .inert(),
    key(
        "services.security.config.expiry_grace",
        Kind::Options,
        Preset::Unset,
        "A key that never had an effect.",
    )
    .inert(),
    key(
        "services.security.config.groupPermissionsPolicy",
        Kind::Text,
        Preset::Unset,
        "A key that never had an effect.",
    )
    .inert(),
    key(
        "services.security.config.__cache_users",
        Kind::Options,
        Preset::Unset,
        "Of no use here: what is remembered is bounded, and forgotten when it changes.",
    )
    .inert(),
    key(
        "services.security.config.__cache_groups",
        Kind::Options,
        Preset::Unset,
        "Of no use here, likewise.",
    )
    .inert(),
    key(
        "services.security.config.__cache_permissions",
        Kind::Options,
        Preset::Unset,
        "Of no use here, likewise.",
    )
    .inert(),
    key(
        "services.security.config.__cache_users_by_groups",
        Kind::Options,
        Preset::Unset,
        "Of no use here, likewise.",
    )
    .inert(),
    key(
        "services.security.config.__cache_groups_by_user",
        Kind::Options,
        Preset::Unset,
        "Of no use here, likewise.",
    )
    .inert(),
    key(
        "services.security.config.__cache_checkpoint_authorization",
        Kind::Options,
        Preset::Unset,
        "Of no use here, likewise.",
    )
    .also(&["services.security.config.cache_checkpoint_authorization"])
    .inert(),
];

//! The rows of the keys of a secure cluster.

use super::table::{
    COUNT, MASKS, NO_COUNT, NO_MASKS, NO_OBJECT, NO_PEM, NO_PROFILES, NO_SWITCH, NO_TEXT, NO_TEXTS,
    OBJECT, PEM, PROFILES, Row, SWITCH, TEXT, TEXTS, row,
};

/// A duration in ms, or as text.
const fn duration(
    key: &'static str,
    default: &'static str,
    refused: &'static [&'static str],
) -> Row {
    Row {
        unit: Some("ms"),
        ..row(key, default, DURATIONS, refused)
    }
}

const DURATIONS: &[(&str, &str)] = &[
    ("7", "7"),
    ("'250'", "250"),
    ("'2 minutes'", "120000"),
    ("'1.5h'", "5400000"),
];
const NO_DURATION: &[&str] = &[
    "0",
    "-5",
    "1.5",
    "'soon'",
    "true",
    "[5]",
    "86400001",
    "'2 days'",
    "'Infinity'",
    "'0 ms'",
];

pub(super) const SECURITY_ROWS: &[Row] = &[
    row(
        "services.security.config.adminUser.username",
        "'_ADMIN'",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.adminUser.password",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.adminUser.publicKey",
        "null",
        PEM,
        NO_PEM,
    ),
    row(
        "services.security.config.adminUser.custom_data",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.adminGroup.name",
        "'_ADMIN'",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.adminGroup.permissions",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.adminGroup.custom_data",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.pbkdf2Iterations",
        "210000",
        &[("1", "1"), ("'2000000'", "2000000")],
        &["0", "2000001", "'many'"],
    ),
    row(
        "services.security.config.rehashPasswords",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    duration(
        "services.security.config.defaultNonceTTL",
        "60000",
        NO_DURATION,
    ),
    row(
        "services.security.config.lockTokenToLoginType",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.lockTokenToUserId",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.accountLockout.enabled",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.accountLockout.attempts",
        "4",
        COUNT,
        NO_COUNT,
    ),
    duration(
        "services.security.config.accountLockout.retryInterval",
        "600000",
        NO_DURATION,
    ),
    row(
        "services.security.config.profiles",
        "[]",
        PROFILES,
        NO_PROFILES,
    ),
    row(
        "services.security.config.allowAnonymousAccess",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.authProviders",
        "null",
        &[(
            "{happn: false, ldap: true, ad: './ad.js'}",
            "{happn: false, ldap: true, ad: './ad.js'}",
        )],
        &[
            "'ldap'",
            "['ldap']",
            "{ldap: 5}",
            "{'': true}",
            "{ldap: {}}",
        ],
    ),
    row(
        "services.security.config.defaultAuthProvider",
        "'happn'",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.allowUserChooseAuthProvider",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.allowTTL0Revocations",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.usernamesCaseInsensitive",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.usernamesCaseInsensitiveExclude",
        "[]",
        TEXTS,
        NO_TEXTS,
    ),
    row(
        "services.security.config.updateSubscriptionsOnSecurityDirectoryChanged",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.looseMasks",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.openCount",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.activateSessionManagement",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.logSessionActivity",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    duration(
        "services.security.config.sessionActivityTTL",
        "86400000",
        &["0", "'0'", "'Infinity'", "'11 years'", "-1", "true"],
    ),
    row(
        "services.security.config.persistPermissions",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.security.config.sessionTokenSecret",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.keyPair",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row("services.security.config.audit", "null", OBJECT, NO_OBJECT),
    row("services.security.config.lookup", "null", OBJECT, NO_OBJECT),
    row(
        "services.security.config.expiry_grace",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.groupPermissionsPolicy",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.__cache_users",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.__cache_groups",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.__cache_permissions",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.__cache_users_by_groups",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.__cache_groups_by_user",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.__cache_checkpoint_authorization",
        "null",
        OBJECT,
        NO_OBJECT,
    ),
    row(
        "services.security.config.cookieName",
        "'happn_token'",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.cookieDomain",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.security.config.httpsCookie",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.connect.config.middleware.security.exclusions",
        "[]",
        MASKS,
        NO_MASKS,
    ),
    row(
        "services.connect.config.middleware.security.unauthorizedResponsePath",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.connect.config.middleware.security.forbiddenResponsePath",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.connect.config.middleware.security.allowLogoutOverHttp",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.connect.config.middleware.security.trustForwarded",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.connect.config.middleware.security.setCookie",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.connect.config.middleware.security.origins",
        "[]",
        &[(
            "['https://a.b:8443', 'http://[::1]']",
            "['https://a.b:8443', 'http://[::1]']",
        )],
        &[
            "'https://a.b'",
            "['a.b']",
            "['https://']",
            "['https://a.b/c']",
            "['null']",
            "['*']",
        ],
    ),
];

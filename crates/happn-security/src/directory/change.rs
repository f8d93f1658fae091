//! What happened to the directory, as nodes tell each other.

use std::sync::Arc;

use happn_core::{Document, SecurityChange};
use happn_protocol::Json;
use serde_json::{Map, Value, json};

use super::group::Group;
use super::names::{GroupName, TableName, UserName};
use super::paths;
use super::permission::{Holder, PermissionSet};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A user got into a group.
    LinkGroup,
    /// A user left a group.
    UnlinkGroup,
    /// A group was made or changed, perhaps with rules.
    UpsertGroup,
    /// A group is gone, with its rules and links.
    DeleteGroup,
    /// A user was made or changed, perhaps with rules.
    UpsertUser,
    /// A user is gone.
    DeleteUser,
    /// A rule was added.
    PermissionUpserted,
    /// A rule is gone.
    PermissionRemoved,
    /// The paths of a lookup table changed.
    LookupTableChanged,
    /// The lookup permissions of a group changed.
    LookupPermissionChanged,
    /// A token works no longer.
    TokenRevoked,
    /// A revoked token works again.
    TokenRestored,
}

const KINDS: [(ChangeKind, &str); 12] = [
    (ChangeKind::LinkGroup, "link-group"),
    (ChangeKind::UnlinkGroup, "unlink-group"),
    (ChangeKind::UpsertGroup, "upsert-group"),
    (ChangeKind::DeleteGroup, "delete-group"),
    (ChangeKind::UpsertUser, "upsert-user"),
    (ChangeKind::DeleteUser, "delete-user"),
    (ChangeKind::PermissionUpserted, "permission-upserted"),
    (ChangeKind::PermissionRemoved, "permission-removed"),
    (ChangeKind::LookupTableChanged, "lookup-table-changed"),
    (
        ChangeKind::LookupPermissionChanged,
        "lookup-permission-changed",
    ),
    (ChangeKind::TokenRevoked, "token-revoked"),
    (ChangeKind::TokenRestored, "token-restored"),
];

impl ChangeKind {
    /// The kind as it travels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let known = KINDS.iter().find(|(kind, _)| *kind == self);
        known.map_or("", |(_, text)| text)
    }

    fn named(text: &str) -> Option<Self> {
        let known = KINDS.iter().find(|(_, known)| *known == text);
        known.map(|(kind, _)| *kind)
    }

    /// Whether somebody has fewer rights at once, so that nobody should wait to be told.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        matches!(
            self,
            Self::TokenRevoked | Self::DeleteUser | Self::DeleteGroup
        )
    }
}

/// Whom a change concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// One user.
    User(UserName),
    /// The members of one group, or those who were.
    Group(GroupName),
    /// The members of the groups that use a table.
    Table {
        /// The table.
        table: TableName,
        /// The groups.
        groups: Vec<GroupName>,
    },
    /// The sessions of one token.
    Token {
        /// The token.
        token: Arc<str>,
        /// What the token says, decoded; `null` when nobody said.
        session: Json,
    },
    /// Perhaps everybody.
    Everything,
}

/// A change of the directory: what it is, whom it concerns, and how it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Whom it concerns.
    pub concern: Concern,
    /// How other nodes and clients are told; without passwords.
    pub told: SecurityChange,
}

/// A change of another node that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the security change {kind} cannot be read: {problem}")]
pub struct UnreadableChange {
    kind: String,
    problem: &'static str,
}

impl Change {
    /// Understands what another node tells.
    ///
    /// # Errors
    /// When the kind is unknown, or its data lacks what it is about.
    pub fn read(told: SecurityChange) -> Result<Self, UnreadableChange> {
        let unreadable = |problem| UnreadableChange {
            kind: told.kind.clone(),
            problem,
        };
        let kind = ChangeKind::named(&told.kind).ok_or_else(|| unreadable("unknown kind"))?;
        let data: Value = told
            .data
            .decode()
            .map_err(|_| unreadable("not an object"))?;
        let concern = concern(kind, &data)
            .ok_or_else(|| unreadable("it does not say which user, group, table or token"))?;
        Ok(Self {
            kind,
            concern,
            told,
        })
    }

    /// Who or what was changed, for people: without secrets.
    #[must_use]
    pub fn object(&self) -> String {
        let members: Value = self.told.data.decode().unwrap_or_default();
        let detail = |name: &str| members[name].as_str().unwrap_or_default().to_owned();
        let who = match &self.concern {
            Concern::User(name) => format!("user {name}"),
            Concern::Group(name) => format!("group {name}"),
            Concern::Table { table, .. } => format!("lookup table {table}"),
            Concern::Token { session, .. } => {
                let said: Value = session.decode().unwrap_or_default();
                let name = said["username"].as_str().unwrap_or("somebody");
                format!("token of {name}")
            }
            Concern::Everything => "everything".to_owned(),
        };
        match self.kind {
            ChangeKind::LinkGroup | ChangeKind::UnlinkGroup => {
                let at = members["_meta"]["path"].as_str();
                let link = at
                    .or_else(|| members["path"].as_str())
                    .and_then(paths::linked);
                let group = link.map(|(_, group)| group.to_string());
                format!("{who}, group {}", group.unwrap_or_default())
            }
            ChangeKind::PermissionUpserted | ChangeKind::PermissionRemoved => {
                let kind = match members["authorized"].as_bool() {
                    Some(false) => "prohibit ",
                    _ => "",
                };
                format!("{who}, {kind}{} on {}", detail("action"), detail("path"))
            }
            ChangeKind::LookupPermissionChanged => {
                format!("{who}, lookup table {}", detail("table"))
            }
            _ => who,
        }
    }

    /// Whether another node made the change.
    #[must_use]
    pub fn is_replicated(&self) -> bool {
        let members = happn_protocol::Members::parse(self.told.data.as_str());
        members.is_some_and(|members| members.get("replicated").is_some())
    }

    fn new(kind: ChangeKind, concern: Concern, data: &Value, additional: Additional) -> Self {
        let additional = match additional {
            Additional::Absent => None,
            Additional::Null => Some(Json::NULL),
            Additional::Given(value) => Some(encoded(&value)),
        };
        let told = SecurityChange {
            kind: kind.as_str().to_owned(),
            data: encoded(data),
            additional,
        };
        Self {
            kind,
            concern,
            told,
        }
    }

    pub(super) fn linked(user: &UserName, document: &Document) -> Self {
        let mut data = members(&document.data);
        data.insert("_meta".to_owned(), meta(document));
        Self::new(
            ChangeKind::LinkGroup,
            Concern::User(user.clone()),
            &data.into(),
            Additional::Given(json!({ "username": user })),
        )
    }

    pub(super) fn unlinked(user: &UserName, path: &str) -> Self {
        Self::new(
            ChangeKind::UnlinkGroup,
            Concern::User(user.clone()),
            &json!({ "path": path }),
            Additional::Given(json!({ "username": user })),
        )
    }

    pub(super) fn group_upserted(
        group: &GroupName,
        document: &Document,
        permissions: Option<&PermissionSet>,
    ) -> Self {
        let mut data = members(&document.data);
        data.insert("_meta".to_owned(), meta(document));
        if let Some(permissions) = permissions {
            data.insert("permissions".to_owned(), json!(permissions));
        }
        Self::new(
            ChangeKind::UpsertGroup,
            Concern::Group(group.clone()),
            &data.into(),
            Additional::Null,
        )
    }

    pub(super) fn group_deleted(group: &Group, rules: &PermissionSet, removed: &Removed) -> Self {
        let name = group.name();
        let mut object = group.members().clone();
        object.insert("permissions".to_owned(), json!(rules));
        let permissions = format!("{}*", paths::permissions_of(&Holder::Group(name.clone())));
        let data = json!({
            "removed": removed.own,
            "obj": object,
            "links": removal(removed.links, removed.at, &paths::links_to(name)),
            "permissions": removal(removed.permissions, removed.at, &permissions),
        });
        Self::new(
            ChangeKind::DeleteGroup,
            Concern::Group(name.clone()),
            &data,
            Additional::Null,
        )
    }

    /// `stored` are the members without the password, `given` what was asked for without it.
    pub(super) fn user_upserted(
        user: &UserName,
        mut stored: Map<String, Value>,
        permissions: Option<&PermissionSet>,
        given: Option<Map<String, Value>>,
    ) -> Self {
        let permissions = permissions.map_or_else(|| json!({}), |set| json!(set));
        stored.insert("permissions".to_owned(), permissions);
        Self::new(
            ChangeKind::UpsertUser,
            Concern::User(user.clone()),
            &stored.into(),
            given.map_or(Additional::Absent, |given| Additional::Given(given.into())),
        )
    }

    pub(super) fn user_deleted(user: &UserName, removed: &Removed) -> Self {
        let path = paths::user(user);
        let data = json!({
            "obj": removal(removed.own, removed.at, &path),
            "tree": removal(removed.links, removed.at, &format!("{path}/*")),
        });
        Self::new(
            ChangeKind::DeleteUser,
            Concern::User(user.clone()),
            &data,
            Additional::Null,
        )
    }

    pub(super) fn permission(
        holder: &Holder,
        path: &str,
        action: &str,
        upserted: Option<bool>,
    ) -> Self {
        let (member, name) = match holder {
            Holder::Group(name) => ("groupName", name.as_str()),
            Holder::User(name) => ("username", name.as_str()),
        };
        let mut data = json!({ member: name, "path": path, "action": action });
        let (kind, additional) = match upserted {
            Some(authorized) => {
                data["authorized"] = authorized.into();
                (ChangeKind::PermissionUpserted, Additional::Absent)
            }
            None => (ChangeKind::PermissionRemoved, Additional::Null),
        };
        let concern = match holder {
            Holder::Group(name) => Concern::Group(name.clone()),
            Holder::User(name) => Concern::User(name.clone()),
        };
        Self::new(kind, concern, &data, additional)
    }

    pub(super) fn table(table: &TableName, groups: Vec<GroupName>) -> Self {
        let data = json!({ "groups": groups, "table": table });
        let concern = Concern::Table {
            table: table.clone(),
            groups,
        };
        Self::new(
            ChangeKind::LookupTableChanged,
            concern,
            &data,
            Additional::Absent,
        )
    }

    pub(super) fn lookup_permission(group: &GroupName, table: &TableName) -> Self {
        Self::new(
            ChangeKind::LookupPermissionChanged,
            Concern::Group(group.clone()),
            &json!({ "group": group, "table": table }),
            Additional::Absent,
        )
    }

    pub(super) fn token_revoked(
        token: &str,
        session: &Json,
        (reason, timestamp, ttl): (&str, i64, u64),
    ) -> Self {
        let said: Value = session.decode().unwrap_or_default();
        let data = json!({
            "token": token,
            "session": said,
            "reason": reason,
            "timestamp": timestamp,
            "ttl": ttl,
        });
        Self::new(
            ChangeKind::TokenRevoked,
            concern_of_token(token, session.clone()),
            &data,
            Additional::Given(reason.into()),
        )
    }

    pub(super) fn token_restored(token: &str) -> Self {
        Self::new(
            ChangeKind::TokenRestored,
            concern_of_token(token, Json::NULL),
            &json!({ "token": token }),
            Additional::Absent,
        )
    }
}

/// How many documents a deletion took, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removed {
    pub(super) own: u64,
    pub(super) links: u64,
    pub(super) permissions: u64,
    pub(super) at: i64,
}

enum Additional {
    Absent,
    Null,
    Given(Value),
}

fn concern_of_token(token: &str, session: Json) -> Concern {
    Concern::Token {
        token: token.into(),
        session,
    }
}

fn concern(kind: ChangeKind, data: &Value) -> Option<Concern> {
    let group = |value: &Value| GroupName::new(value.as_str()?).ok();
    let user = |value: &Value| UserName::new(value.as_str()?).ok();
    let link = |value: &Value| paths::linked(value.as_str()?);
    let user_of_link = |value| link(value).map(|(user, _)| Concern::User(user));
    match kind {
        ChangeKind::LinkGroup => user_of_link(&data["_meta"]["path"]),
        ChangeKind::UnlinkGroup => user_of_link(&data["path"]),
        ChangeKind::UpsertGroup => group(&data["name"]).map(Concern::Group),
        ChangeKind::DeleteGroup => group(&data["obj"]["name"]).map(Concern::Group),
        ChangeKind::UpsertUser => user(&data["username"]).map(Concern::User),
        ChangeKind::DeleteUser => {
            let path = data["obj"]["_meta"]["path"].as_str()?;
            paths::user_at(path).map(Concern::User)
        }
        ChangeKind::PermissionUpserted | ChangeKind::PermissionRemoved => {
            let of_group = group(&data["groupName"]).map(Concern::Group);
            of_group.or_else(|| user(&data["username"]).map(Concern::User))
        }
        ChangeKind::LookupTableChanged => {
            let groups = data["groups"].as_array()?.iter();
            Some(Concern::Table {
                table: TableName::new(data["table"].as_str()?).ok()?,
                groups: groups.filter_map(group).collect(),
            })
        }
        ChangeKind::LookupPermissionChanged => group(&data["group"]).map(Concern::Group),
        ChangeKind::TokenRevoked | ChangeKind::TokenRestored => {
            let token = data["token"].as_str()?;
            Some(concern_of_token(token, encoded(&data["session"])))
        }
    }
}

/// Values made here always have an encoding.
fn encoded(value: &Value) -> Json {
    Json::encode(value).unwrap_or(Json::NULL)
}

fn members(data: &Json) -> Map<String, Value> {
    data.decode().unwrap_or_default()
}

fn meta(document: &Document) -> Value {
    let mut meta = Map::new();
    meta.insert("path".to_owned(), json!(&*document.path));
    for (name, time) in [
        ("created", document.created),
        ("modified", document.modified),
    ] {
        if let Some(time) = time {
            meta.insert(name.to_owned(), time.into());
        }
    }
    meta.into()
}

fn removal(removed: u64, at: i64, path: &str) -> Value {
    json!({ "data": { "removed": removed }, "_meta": { "timestamp": at, "path": path } })
}

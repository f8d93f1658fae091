//! What changes of the directory mean for sessions that are logged in.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use happn_core::{BoxFuture, SecurityChange, SecurityChanges};
use happn_protocol::{Json, Members, write_string};
use serde_json::Value;
use tokio::task::coop::consume_budget;

use super::account::TOKEN_REVOKED;
use super::rights::UserRights;
use super::{SecurityAuthority, Shared};
use crate::directory::{Change, ChangeKind, ChangeListener, Concern, GroupName, UserName};

const USER_DELETED: &str = "security directory update: user deleted";

/// Brings changes that are made on this node to its sessions.
pub(super) struct Effects(Weak<Shared>);

impl Effects {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }
}

impl ChangeListener for Effects {
    fn changed(&self, change: &Change) -> BoxFuture<'_, ()> {
        let change = change.clone();
        Box::pin(async move {
            if let Some(shared) = self.0.upgrade() {
                shared.take_effect(&change).await;
            }
        })
    }
}

impl SecurityChanges for SecurityAuthority {
    fn apply(&self, change: SecurityChange) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let change = self.shared.directory.apply(change);
            match change {
                Ok(change) => {
                    self.shared.take_effect(&change).await;
                    Ok(())
                }
                Err(error) => {
                    self.shared.recheck_all().await;
                    Err(error.to_string())
                }
            }
        })
    }

    fn reload(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.shared.directory.forget_everything();
            if let Err(error) = self.shared.directory.load_revoked_tokens().await {
                tracing::warn!(%error, "revoked tokens cannot be read");
            }
            self.shared.recheck_all().await;
        })
    }
}

impl Shared {
    /// Rights come first, so that a client that is told finds them changed.
    async fn take_effect(&self, change: &Change) {
        match (&change.concern, change.kind) {
            (Concern::Token { token, session }, ChangeKind::TokenRevoked) => {
                self.end_token(token, session);
            }
            (_, ChangeKind::TokenRestored) => {}
            (Concern::User(name), ChangeKind::DeleteUser) => self.end_user(name),
            (concern, _) => self.adjust(change, concern).await,
        }
    }

    /// Sessions of the token, and those that share its session.
    fn end_token(&self, token: &str, session: &Json) {
        let said: Value = session.decode().unwrap_or_default();
        let parents = [&said["parentId"], &said["id"]];
        for rights in self.live.all() {
            let shares = parents.iter().any(|id| **id == *rights.parent_id);
            if shares || rights.token.as_deref() == Some(token) {
                self.end(&rights, TOKEN_REVOKED);
            }
        }
    }

    fn end_user(&self, name: &UserName) {
        for rights in self.live.all() {
            if rights.user == *name {
                self.end(&rights, USER_DELETED);
            }
        }
    }

    fn end(&self, rights: &UserRights, reason: &str) {
        rights.is_over.store(true, Ordering::Release);
        if rights.ends_itself.load(Ordering::Acquire) {
            return;
        }
        if let Some(control) = self.control() {
            control.end(&rights.session_id, reason);
        }
    }

    /// With thousands of sessions this takes a while: others have their turns in between.
    async fn adjust(&self, change: &Change, concern: &Concern) {
        let Some(control) = self.control() else {
            return;
        };
        let told = is_told(change.kind).then(|| message(change));
        // JavaScript nodes tell only the last of several changes of one group.
        let everybody = change.is_replicated() || *concern == Concern::Everything;
        for rights in self.live.all() {
            consume_budget().await;
            let is_meant = self.concerns(concern, &rights).await;
            if (is_meant || everybody) && self.config.recheck_subscriptions && rechecks(change) {
                control.recheck(&rights.session_id).await;
            }
            if let Some(told) = told.as_ref().filter(|_| is_meant) {
                control.tell(&rights.session_id, told);
            }
        }
    }

    async fn concerns(&self, concern: &Concern, rights: &UserRights) -> bool {
        match concern {
            Concern::User(name) => rights.user == *name,
            Concern::Group(group) => self.is_member(rights, std::slice::from_ref(group)).await,
            Concern::Table { groups, .. } => self.is_member(rights, groups).await,
            Concern::Token { .. } => false,
            Concern::Everything => true,
        }
    }

    /// Whether the session's user is in one of the groups, or was when its rules were compiled.
    async fn is_member(&self, rights: &UserRights, groups: &[GroupName]) -> bool {
        let compiled = rights.compiled.load_full();
        let was = groups
            .iter()
            .any(|group| compiled.memberships().contains(group.as_str()));
        if was || compiled.is_current(self, &rights.user) {
            return was;
        }
        let now = self.directory.memberships(&rights.user).await;
        now.is_ok_and(|now| groups.iter().any(|group| now.contains(group.as_str())))
    }

    /// Nobody knows what has changed.
    async fn recheck_all(&self) {
        let Some(control) = self.control() else {
            return;
        };
        for rights in self.live.all() {
            consume_budget().await;
            let token = rights.token.as_deref();
            let is_gone = matches!(self.directory.user(rights.user.as_str()).await, Ok(None));
            match () {
                () if token.is_some_and(|token| self.directory.is_revoked(token)) => {
                    self.end(&rights, TOKEN_REVOKED);
                }
                () if is_gone => self.end(&rights, USER_DELETED),
                () if self.config.recheck_subscriptions => {
                    control.recheck(&rights.session_id).await;
                }
                () => {}
            }
        }
    }
}

/// Clients are not told of tables: they could not know whether it concerns them.
fn is_told(kind: ChangeKind) -> bool {
    !matches!(
        kind,
        ChangeKind::LookupTableChanged | ChangeKind::LookupPermissionChanged
    )
}

/// A group whose data alone has changed allows what it did.
fn rechecks(change: &Change) -> bool {
    change.kind != ChangeKind::UpsertGroup || change.is_replicated() || has_permissions(change)
}

fn has_permissions(change: &Change) -> bool {
    let data = Members::parse(change.told.data.as_str());
    data.is_some_and(|data| data.get("permissions").is_some())
}

/// `{whatHappnd, changedData}`. Clients fail on an `upsert-group` without `permissions`.
fn message(change: &Change) -> Json {
    let mut out = b"{\"whatHappnd\":".to_vec();
    write_string(&mut out, change.kind.as_str());
    out.extend_from_slice(b",\"changedData\":");
    let data = change.told.data.as_str();
    match data.strip_suffix('}') {
        Some(open) if change.kind == ChangeKind::UpsertGroup && !has_permissions(change) => {
            out.extend_from_slice(open.as_bytes());
            if open != "{" {
                out.push(b',');
            }
            out.extend_from_slice(b"\"permissions\":{}}");
        }
        _ => out.extend_from_slice(data.as_bytes()),
    }
    out.push(b'}');
    Json::from_trusted(out)
}

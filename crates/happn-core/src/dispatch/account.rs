//! What a client asks for its own account on a secure node.

use happn_protocol::response::ObjectResponse;
use happn_protocol::{Json, WireError};

use super::decision::refuse;
use super::{Call, Received, reply};
use crate::{AccountRequest, Refusal};

impl Call<'_> {
    pub(super) fn revoke_token(self) -> Received {
        if !self.node.is_secure() {
            return self.fail(WireError::plain("Cannot revoke-token Not Secure"));
        }
        if self.session.identity().is_none() {
            return self.fail(WireError::plain("token not defined"));
        }
        let reason = "CLIENT".to_owned();
        self.account(AccountRequest::RevokeToken { reason })
    }

    pub(super) fn change_password(self) -> Received {
        if !self.node.is_secure() {
            return self.fail(WireError::plain("Cannot change-password Not Secure"));
        }
        let data = self.data().unwrap_or(Json::NULL);
        self.account(AccountRequest::ChangePassword(data))
    }

    /// Who has not logged in has no children.
    pub(super) fn disconnect_children(self) -> Received {
        if self.session.identity().is_none() {
            return self.answer(&ObjectResponse::ok(Json::NULL));
        }
        self.account(AccountRequest::DisconnectChildren)
    }

    fn account(self, request: AccountRequest) -> Received {
        let Some(identity) = self.session.identity() else {
            refuse(self.session, &self.echo, Refusal::no_login());
            return Received::Done;
        };
        let doing = identity.rights().account(request);
        let (session, echo) = (self.session.clone(), self.echo);
        Received::Blocked(Box::pin(async move {
            match doing.await {
                Ok(afterwards) => {
                    reply(&session, &echo, &ObjectResponse::ok(Json::NULL));
                    if let Some(afterwards) = afterwards {
                        afterwards.await;
                    }
                }
                Err(refusal) => refuse(&session, &echo, refusal),
            }
        }))
    }
}

//! `off`: one subscription, a channel, or everything of the session.

use happn_paths::Channel;
use happn_protocol::response::{Meta, ObjectResponse};
use happn_protocol::{Json, Options, WireError, write_string};

use super::{Call, Received};
use crate::subscriptions::{Removal, Subscription};

impl Call<'_> {
    pub(super) fn off(self) -> Received {
        let Some(text) = self.request.path_text() else {
            return self.fail(WireError::type_error("the path of an off must be a string"));
        };
        let options = self.request.decode_options();
        let reference = self.reference(&options);
        let channel = Channel::parse(&text);
        let removal = match &reference {
            None if text == "*" || channel.mask() == "*" => Removal::Everything,
            None => Removal::Channel(&channel),
            Some(reference) => Removal::Reference(&channel, reference),
        };
        let removed = self.node.subscriptions.remove(self.session, &removal);
        let data = self.removal_record(reference.as_deref(), &channel, &removed);
        let meta = Meta {
            status_first: true,
            ..Meta::default()
        };
        self.answer(&ObjectResponse {
            meta,
            ..ObjectResponse::ok(data)
        })
    }

    /// The reference asked for; the first dialect names it by its `refCount`.
    fn reference(&self, options: &Options<'_>) -> Option<String> {
        if let Some(raw) = options
            .reference_id
            .filter(|raw| Options::is_set(Some(*raw)))
        {
            let text = serde_json::from_str::<String>(raw.get());
            return Some(text.unwrap_or_else(|_| raw.get().to_owned()));
        }
        let count = options
            .ref_count
            .filter(|_| self.session.dialect().is_first())?;
        let reference = self
            .node
            .subscriptions
            .reference_by_count(self.session, count.get())?;
        Some(reference.to_string())
    }

    fn removal_record(
        &self,
        reference: Option<&str>,
        channel: &Channel,
        removed: &[std::sync::Arc<Subscription>],
    ) -> Json {
        let mut out = b"{\"id\":".to_vec();
        match reference {
            Some(reference) => write_string(&mut out, reference),
            None => out.extend_from_slice(b"false"),
        }
        // Clients never saw a list for deep masks.
        if !channel.to_mask().is_deep() {
            out.extend_from_slice(b",\"removed\":[");
            for (at, subscription) in removed.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                self.write_removed(&mut out, subscription);
            }
            out.push(b']');
        }
        out.push(b'}');
        Json::from_trusted(out)
    }

    fn write_removed(&self, out: &mut Vec<u8>, subscription: &Subscription) {
        out.extend_from_slice(b"{\"subscriberKey\":");
        write_string(out, self.session.id());
        out.extend_from_slice(b",\"data\":{\"options\":");
        out.extend_from_slice(
            subscription
                .options
                .as_ref()
                .map_or("{}", Json::as_str)
                .as_bytes(),
        );
        out.extend_from_slice(b",\"session\":");
        self.session.write_brief(out);
        let action = subscription
            .channel
            .as_str()
            .split('@')
            .next()
            .unwrap_or_default();
        let action = action.strip_prefix('/').unwrap_or(action);
        let mask = subscription.channel.mask();
        for (name, value) in [
            ("ref", &*subscription.reference),
            ("action", action),
            ("searchPath", mask),
            ("path", mask),
        ] {
            out.push(b',');
            write_string(out, name);
            out.push(b':');
            write_string(out, value);
        }
        out.extend_from_slice(b"}}");
    }
}

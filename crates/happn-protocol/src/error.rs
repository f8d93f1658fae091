//! Error objects as clients see them.

use crate::{Json, write_string};

/// What a client finds in `_meta.error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// `Error`, `TypeError`, `AccessDenied`, `SystemError` …
    pub name: &'static str,
    /// 401, 403, 404 or 500; plain errors have none.
    pub code: Option<u16>,
    /// Text for people; clients match some of them literally.
    pub message: String,
    /// Further members, written last.
    pub members: Vec<(&'static str, Json)>,
}

impl WireError {
    /// An error without a code, such as a refused path.
    #[must_use]
    pub fn plain(message: impl Into<String>) -> Self {
        Self {
            name: "Error",
            code: None,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// A request of the wrong shape.
    #[must_use]
    pub fn type_error(message: impl Into<String>) -> Self {
        Self {
            name: "TypeError",
            ..Self::plain(message)
        }
    }

    /// Refused by the authority; `code` is 401 or 403.
    #[must_use]
    pub fn access_denied(code: u16, message: impl Into<String>) -> Self {
        Self {
            name: "AccessDenied",
            code: Some(code),
            ..Self::plain(message)
        }
    }

    /// A failing service; `reason` is its name, for example `DataService`.
    #[must_use]
    pub fn system(message: impl Into<String>, reason: &str) -> Self {
        let mut reason_text = Vec::new();
        write_string(&mut reason_text, reason);
        let members = vec![
            ("severity", Json::from_trusted(b"0".to_vec())),
            ("reason", Json::from_trusted(reason_text)),
        ];
        Self {
            name: "SystemError",
            code: Some(500),
            message: message.into(),
            members,
        }
    }

    /// The same error with the details of its cause, an object.
    #[must_use]
    pub fn with_inner(mut self, inner: Json) -> Self {
        self.members.push(("inner", inner));
        self
    }

    /// Appends the error object.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        write_string(out, self.name);
        // Clients of the reference see the text of a failing service before its details.
        let is_service = self.name == "SystemError";
        if is_service {
            out.extend_from_slice(b",\"message\":");
            write_string(out, &self.message);
            self.write_inner(out);
        }
        if let Some(code) = self.code {
            out.extend_from_slice(b",\"code\":");
            out.extend_from_slice(code.to_string().as_bytes());
        }
        if !is_service {
            out.extend_from_slice(b",\"message\":");
            write_string(out, &self.message);
        }
        for (name, value) in self.members.iter().filter(|(name, _)| *name != "inner") {
            out.push(b',');
            write_string(out, name);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
    }

    /// Details of the cause, where a reason is given: empty ones if need be.
    fn write_inner(&self, out: &mut Vec<u8>) {
        let member = |wanted: &str| self.members.iter().find(|(name, _)| *name == wanted);
        let inner = member("inner").map(|(_, inner)| inner.as_bytes());
        if let Some(inner) = inner.or_else(|| member("reason").map(|_| &b"{}"[..])) {
            out.extend_from_slice(b",\"inner\":");
            out.extend_from_slice(inner);
        }
    }
}

//! Queries, and bodies of forms: `name=value&…`.

/// Most fields that are looked at.
const FIELDS_MAX: usize = 100;

/// Names and values, decoded, in their order.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(text: &str) -> Self {
        let fields = text.split('&').filter(|field| !field.is_empty());
        let decoded = fields.take(FIELDS_MAX).map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (decode(name), decode(value))
        });
        Self(decoded.collect())
    }

    /// Texts that came in another way; later ones count less.
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    pub(super) fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The first value that has one of `names`, in the order of the names and without regard to
    /// case, and is not empty.
    pub(super) fn first(&self, names: &[&str]) -> Option<String> {
        let value = |name: &&str| {
            let named = |(other, value): &&(String, String)| {
                other.eq_ignore_ascii_case(name) && !value.is_empty()
            };
            self.0.iter().find(named).map(|(_, value)| value.clone())
        };
        names.iter().find_map(value)
    }
}

/// `+` is a blank and `%41` an `A`; what is no such escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (byte, length) = match byte {
            b'+' => (b' ', 1),
            b'%' => escaped(bytes.get(at + 1..at + 3)).map_or((b'%', 1), |byte| (byte, 3)),
            other => (*other, 1),
        };
        out.push(byte);
        at += length;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escaped(digits: Option<&[u8]>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match digits {
        Some([high, low]) => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case_in_the_order_asked_for() {
        let form = Form::parse("U=u&user=&USERNAME=a%20b%2Bc+d&p=%D0%B9&x");
        let user = form.first(&["user", "username", "u"]);
        assert_eq!(user.as_deref(), Some("a b+c d"));
        assert_eq!(form.first(&["password", "p"]).as_deref(), Some("й"));
        assert_eq!(form.first(&["x", "y"]), None);
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        let form = Form::parse("a=100%&b=%4&c=%zz%41&d=%ff&&==&=");
        assert_eq!(form.first(&["a"]).as_deref(), Some("100%"));
        assert_eq!(form.first(&["b"]).as_deref(), Some("%4"));
        assert_eq!(form.first(&["c"]).as_deref(), Some("%zzA"));
        assert_eq!(form.first(&["d"]).as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn a_form_with_many_fields_is_cut() {
        let form = Form::parse(&"a=1&".repeat(1_000_000));
        assert_eq!(form.0.len(), FIELDS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r"(\PC|[%&=+]){0,60}") {
            let _ = Form::parse(&text).first(&["a"]);
        }

        #[test]
        fn what_is_escaped_is_read_back(value in r"\PC{1,20}") {
            let escaped: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let form = Form::parse(&format!("a={escaped}"));
            proptest::prop_assert_eq!(form.first(&["A"]), Some(value));
        }
    }
}

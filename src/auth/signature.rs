//! The signature of a call with an access key: the vendor's algorithm SDK-HMAC-SHA256.
//!
//! Ported from the signer of the vendor's Python SDK, 3.1.219; `tests/signing-vectors.json` has
//! signatures made by it. The secret key itself is never sent.

use ring::{digest, hmac};

use crate::api::call::Call;
use crate::report::redact::Secret;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A signature, and the value of `Authorization` with it.
pub struct Signed {
    pub signature: Secret,
    pub authorization: Secret,
}

/// Signs a call to `host` at `date` (the value of `X-Sdk-Date`: `YYYYMMDDTHHMMSSZ`, UTC). The
/// header `Host` is signed, and `headers`: names in any case, values trimmed.
pub fn sign(
    call: &Call,
    host: &str,
    headers: &[(&str, Secret)],
    date: &str,
    access_key: &str,
    secret_key: &Secret,
) -> Signed {
    let mut signed = vec![("host".to_owned(), host)];
    for (name, value) in headers {
        signed.push((name.to_ascii_lowercase(), value.expose()));
    }
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &signed {
        lines.extend([name, ":", value, "\n"]);
    }
    // The signed path ends in a slash, unlike the one on the wire. The last line is the hash of the
    // empty body.
    let request = format!(
        "GET\n{}/\n{}\n{lines}\n{names}\n{}",
        call.path(),
        call.query().unwrap_or_default(),
        sha256(b"")
    );
    let text = format!("{ALGORITHM}\n{date}\n{}", sha256(request.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.expose().as_bytes());
    let signature = hexadecimal(hmac::sign(&key, text.as_bytes()).as_ref());
    let authorization =
        format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}");
    Signed {
        signature: Secret::new(signature),
        authorization: Secret::new(authorization),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    digits.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::sign;
    use crate::api::call::Call;
    use crate::api::id::Id;
    use crate::report::redact::Secret;

    #[test]
    fn matches_the_vendor_signer() {
        let vectors = include_str!("../../tests/signing-vectors.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let id = Id::of_subtask(vector["query"][0][1].as_str().unwrap()).unwrap();
            let date = Secret::new(text("x_sdk_date").to_owned());
            let signed = sign(
                &Call::DownloadLog(id),
                text("host"),
                &[("X-Sdk-Date", date)],
                text("x_sdk_date"),
                text("ak"),
                &Secret::new(text("sk").to_owned()),
            );
            let name = text("name");
            assert_eq!(signed.signature.expose(), text("signature"), "{name}");
            let authorization = signed.authorization.expose();
            assert_eq!(authorization, text("authorization"), "{name}");
        }
    }
}

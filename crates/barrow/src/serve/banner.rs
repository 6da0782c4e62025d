//! What the first start prints, once.

use super::addresses::Addresses;
use crate::config::{AuditTo, Config};
use crate::credentials::{Credentials, root_file};
use crate::output::{say, say_aside};

/// Prints key, secret, addresses, and three things to try.
pub(super) fn print(config: &Config, addresses: &Addresses, root: &Credentials) {
    let Credentials { key, secret } = root;
    let Addresses { s3, scsp, admin } = addresses;
    // curl looks at the authorities of its machine; it is not told to look away.
    let (http, trust) = match &config.tls {
        None => ("http", ""),
        Some(_) => ("https", " (curl trusts the authorities of this machine; another one: --cacert FILE)"),
    };
    let file = root_file(config);
    let file = file.display();
    // Whoever reads the audit trail there reads records and nothing else.
    let say = if config.audit.to == AuditTo::Stdout { say_aside } else { say };
    say(&format!(
        "\
Barrow is ready. This is its first start, so it has made a root key, which is shown only now
and kept, for its owner's eyes, in {file}:

  key     {key}
  secret  {secret}

  S3      {http}://{s3}
  SCSP    {http}://{scsp}
  admin   {http}://{admin}

Try{trust}:

  curl -u {key}:{secret} -X POST -H 'Content-Type: application/castorcontext' {http}://{scsp}/photos
  curl -u {key}:{secret} -X POST --data-binary 'hello' {http}://{scsp}/photos/hello.txt
  curl -u {key}:{secret} {http}://{admin}/v1/usage
"
    ));
}

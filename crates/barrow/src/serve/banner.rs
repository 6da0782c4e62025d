//! What the first start prints, once.

use super::addresses::Addresses;
use crate::config::Config;
use crate::credentials::{Credentials, root_file};
use crate::output::say;

/// Prints key, secret, addresses, and three things to try.
pub(super) fn print(config: &Config, addresses: &Addresses, root: &Credentials) {
    let Credentials { key, secret } = root;
    let Addresses { scsp, admin } = addresses;
    let file = root_file(config);
    let file = file.display();
    let s3 = config.listen.s3;
    say(&format!(
        "\
Barrow is ready. This is its first start, so it has made a root key, which is shown only now
and kept, for its owner's eyes, in {file}:

  key     {key}
  secret  {secret}

  SCSP    http://{scsp}
  admin   http://{admin}
  S3      {s3} is not yet served

Try:

  curl -u {key}:{secret} -X POST -H 'Content-Type: application/castorcontext' http://{scsp}/photos
  curl -u {key}:{secret} -X POST --data-binary 'hello' http://{scsp}/photos/hello.txt
  curl -u {key}:{secret} http://{admin}/v1/usage
"
    ));
}

//! What a statement is about: `arn:aws:s3:::bucket`, `arn:aws:s3:::bucket/key`, with wildcards.

use crate::action::{Action, Level};
use crate::key::Facts;
use crate::pattern::Pattern;

/// A resource of this bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    pattern: Pattern,
    /// It can be the bucket itself.
    bucket: bool,
    /// It can be an object.
    object: bool,
}

/// What is no resource of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadResource;

impl Resource {
    /// Reads `text`, which must name `bucket` or something in it.
    pub(crate) fn read(text: &str, bucket: &str, variables: bool) -> Result<Self, BadResource> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", "s3", "", "", path] = parts.as_slice() else { return Err(BadResource) };
        let pattern = Pattern::read(path, variables, true).map_err(|_| BadResource)?;
        // The bucket is what stands in front of the first slash; a star there may take in more.
        let (name, key) = match path.split_once('/') {
            Some((name, key)) => (name, Some(key)),
            None => (*path, None),
        };
        if name.is_empty() || key == Some("") || name.contains("${") {
            return Err(BadResource);
        }
        let of_bucket = Pattern::read(name, false, true).map_err(|_| BadResource)?.plainly(bucket);
        let spans = name.contains('*');
        if !of_bucket && !spans {
            return Err(BadResource);
        }
        if !of_bucket {
            // A star in front of the slash that stands for the rest of the name and more: `buck*x/key`.
            let before = name.split('*').next().unwrap_or_default();
            let reaches = Pattern::read(before, false, true).map_err(|_| BadResource)?;
            let long_enough = bucket.chars().count() >= before.chars().count();
            let start: String = bucket.chars().take(before.chars().count()).collect();
            if !long_enough || !reaches.plainly(&start) {
                return Err(BadResource);
            }
        }
        Ok(Resource { pattern, bucket: key.is_none() && of_bucket, object: key.is_some() || spans })
    }

    /// Whether `path`, a bucket or `bucket/key`, is one that it stands for.
    pub(crate) fn is(&self, path: &str, facts: &dyn Facts) -> bool {
        self.pattern.matches(path, facts)
    }

    /// Whether something of it can be done `action` to.
    pub(crate) fn takes(&self, action: Action) -> bool {
        match action.level() {
            Level::Bucket => self.bucket,
            Level::Object => self.object,
        }
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.pattern.has_variables()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_this_bucket_or_something_in_it() {
        for good in [
            "arn:aws:s3:::bucket",
            "arn:aws:s3:::bucket/*",
            "arn:aws:s3:::bucket/a:b",
            "arn:aws:s3:::b*",
            "arn:aws:s3:::*",
            "arn:aws:s3:::*/*",
            "arn:aws:s3:::bucke?/x",
            "arn:aws:s3:::bucket/${aws:username}/*",
            "arn:aws:s3:::buck*x/key",
        ] {
            assert!(Resource::read(good, "bucket", true).is_ok(), "{good}");
        }
        for bad in [
            "bucket",
            "arn:aws:s3:::",
            "arn:aws:s3:::other",
            "arn:aws:s3:::other/*",
            "arn:aws:s3:::bucket2/*",
            "arn:aws:s3:::ck*",
            "arn:aws:s3:::bucket/",
            "arn:aws:s3:us-east-1::bucket",
            "arn:aws:s3::1:bucket",
            "arn:aws:iam:::bucket",
            "arn:aws:s3:::${aws:username}/x",
            "arn:aws:s3:::bucket/${nothing}",
            "*",
        ] {
            assert_eq!(Resource::read(bad, "bucket", true), Err(BadResource), "{bad}");
        }
    }
}

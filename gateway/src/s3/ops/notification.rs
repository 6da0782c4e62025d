//! GetBucketNotificationConfiguration, PutBucketNotificationConfiguration.

use super::configurations::{change, looked_at};
use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::Exchange;
use crate::s3::notifications::{rules, shown};
use metadata::SettingKind;
use s3s::S3Response;
use s3s::dto::{
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    PutBucketNotificationConfigurationInput, PutBucketNotificationConfigurationOutput,
};

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketNotificationConfigurationInput,
) -> Result<S3Response<GetBucketNotificationConfigurationOutput>, Trouble> {
    let place = looked_at(&exchange, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let metadata = &exchange.gateway.metadata;
    let setting = metadata.bucket_setting(place.bucket.id, SettingKind::Notification).await.told()?;
    let rules = match setting {
        None => Vec::new(),
        Some(setting) => serde_json::from_str(&setting.content)
            .map_err(|error| trouble("InternalError", format!("The rules cannot be read: {error}")))?,
    };
    Ok(S3Response::new(shown(rules)))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketNotificationConfigurationInput,
) -> Result<S3Response<PutBucketNotificationConfigurationOutput>, Trouble> {
    let rules = rules(input.notification_configuration, &exchange.gateway.settings.event_targets)?;
    let content = match rules.is_empty() {
        true => None,
        false => Some(
            serde_json::to_string(&rules)
                .map_err(|error| trouble("InternalError", format!("The rules cannot be written: {error}")))?,
        ),
    };
    let owner = input.expected_bucket_owner.as_deref();
    change(&exchange, &input.bucket, owner, SettingKind::Notification, content).await?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default()))
}

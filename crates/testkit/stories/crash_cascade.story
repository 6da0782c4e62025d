# A bucket is being purged, and the health processor dies over what is inside.
bucket photos
put photos/a 64KiB
put photos/b "one"
put photos/c "two"
delete photos/c
delete bucket photos now
reclaim
advance 30s
crash after cascade.before_claim
show photos
  bucket purging
  a live 65536
  b live 3
  c removed 3 delete
restore bucket photos refused PurgeInProgress
check
crash after cascade.after_claim
restore bucket photos refused PurgeInProgress
disk holds 3
advance 60s
reclaim
show photos
  bucket purged
  a purged cascade
  b purged cascade
  c purged delete
disk empty

bucket photos
put photos/a 64KiB
delete bucket photos now
reclaim
advance 30s
crash after cascade.after_destroy
show photos
  bucket purging
  a purging 65536 cascade
disk empty
check
advance 60s
reclaim
show photos
  bucket purged
  a purged cascade

bucket photos
put photos/a 64KiB
delete bucket photos now
reclaim
advance 30s
crash after cascade.before_finish
advance 60s
reclaim
show photos
  bucket purged
  a purged cascade

bucket photos
put photos/a 64KiB
delete bucket photos now
reclaim
advance 30s
crash after cascade.after_finish
show photos
  bucket purging
  a purged cascade
reclaim
show photos
  bucket purged
  a purged cascade
restore bucket photos refused ContextPurged
disk empty
check

# recursive=now asks for no grace; the health processor begins as soon as it looks.
bucket photos
put photos/a 64KiB
put photos/b "one"
delete photos/b
delete bucket photos now
get photos/a missing

# Until it has begun, the removal can be undone like any other.
restore bucket photos
get photos/a 64KiB
delete bucket photos now
reclaim
restore bucket photos refused PurgeInProgress
show photos
  bucket purging
  a live 65536
  b removed 3 delete

# Reads that began before have their time.
disk holds 2
advance 30s
reclaim
disk empty
show photos
  bucket purged
  a purged cascade
  b purged delete
restore bucket photos refused ContextPurged
bucket photos
put photos/a "new"
advance 30d
reclaim
get photos/a "new"
check

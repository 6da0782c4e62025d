# The process dies before and behind the point of no return of a bucket, and of a domain.
bucket photos
put photos/a 64KiB
delete bucket photos
advance 7d
crash after containers.before
show photos
  bucket removed
  a live 65536
restore bucket photos
get photos/a 64KiB
delete bucket photos
advance 7d
crash after containers.after
show photos
  bucket purging
  a live 65536
restore bucket photos refused PurgeInProgress
check
reclaim
advance 30s
reclaim
show photos
  bucket purged
  a purged cascade
disk empty

domain d.example
bucket photos
put photos/a "one"
delete domain d.example
advance 7d
crash after containers.before
restore domain d.example
get photos/a "one"
delete domain d.example
advance 7d
crash after containers.after
restore domain d.example refused PurgeInProgress
reclaim
advance 30s
reclaim
show domain d.example
  domain purged
  photos purged
disk empty
check

# The process dies while it forgets; what is forgotten stays so, and nothing else goes with it.
bucket photos
put photos/a "one"
put photos/b "kept"
delete photos/a
advance 1d
reclaim
advance 14d
crash after forget.before
show photos
  bucket live
  a purged delete
  b live 4
crash after forget.after
show photos
  bucket live
  b live 4
usage photos purged 0 0
reclaim
get photos/b "kept"
check

# Tombstones of a bucket go first, then the bucket.
delete bucket photos now
reclaim
advance 30s
reclaim
advance 14d
crash after forget.before
restore bucket photos refused ContextPurged
crash after forget.after
show photos
  bucket purged
restore bucket photos refused ContextPurged
reclaim
show photos
  nothing
disk empty
check

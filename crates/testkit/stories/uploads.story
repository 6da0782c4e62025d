# An upload that loses its bucket, its client or its process leaves nothing; one that wins is whole.
bucket photos
begin upload photos/a 3MiB
delete bucket photos
finish upload photos/a refused RequiresContext2
disk empty
restore bucket photos
get photos/a missing
show photos
  bucket live
  a purged abandoned

# The bucket is another one by the time the upload ends.
begin upload photos/b 64KiB
delete bucket photos
bucket photos
finish upload photos/b refused RequiresContext2
get photos/b missing
disk empty
show photos
  bucket live

# The client leaves.
begin upload photos/c 3MiB
leave upload photos/c
disk empty
get photos/c missing

# The bucket comes back in time.
advance 1h
begin upload photos/d 3MiB
delete bucket photos
restore bucket photos
finish upload photos/d
get photos/d 3MiB

# It is purged, for good, while the bytes arrive: the purge waits for them as long as they may take, then they are cut.
begin upload photos/e 3MiB
delete bucket photos now
reclaim
show photos
  bucket removed
  c purged abandoned
  d live 3145728
  e staged
advance 30s
reclaim
finish upload photos/e refused RequiresContext2
reclaim
advance 60s
reclaim
disk empty
show photos
  bucket purged
  c purged abandoned
  d purged cascade
  e purged abandoned

# The process dies after the last byte and before the answer.
bucket photos
abandon upload photos/f 64KiB
restart
get photos/f missing
advance 1d
reclaim
disk empty
check

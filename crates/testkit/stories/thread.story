# An object's and a bucket's way from the first byte to the last trace.
bucket photos
put photos/a "one"
put photos/a "second"
put photos/b 64KiB
get photos/a "second"
show photos
  bucket live
  a removed 3 overwrite
  a live 6
  b live 65536
usage photos live 2 65542
usage photos removed 1 3

delete photos/a
get photos/a missing
usage photos live 1 65536
usage photos removed 2 9
restore photos/a
get photos/a "second"
check

# A bucket goes and comes with everything in it.
delete bucket photos
get photos/b missing
put photos/c "late" refused RequiresContext2
usage photos live 0 0
usage photos removed 3 65545
restore bucket photos
get photos/a "second"
get photos/b 64KiB
usage photos live 2 65542

# Past the point of no return.
delete bucket photos
purge bucket photos
restore bucket photos refused PurgeInProgress
disk holds 3
reclaim
advance 30s
reclaim
disk empty
restore bucket photos refused ContextPurged
show photos
  bucket purged
  a purged overwrite
  a purged cascade
  b purged cascade
usage photos purged 3 0

# A tombstone is remembered, and in the end forgotten.
advance 13d
reclaim
restore bucket photos refused ContextPurged
advance 8d
reclaim
show photos
  nothing
check

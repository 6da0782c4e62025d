# The health processor dies on its way from the claim to the tombstone; another one ends what it began.
bucket photos
put photos/a 64KiB
put photos/b "one"
delete photos/a
delete photos/b
advance 1d
crash after reclaim.before_claim
show photos
  bucket live
  a removed 65536 delete
  b removed 3 delete
restore photos/b
get photos/b "one"
delete photos/b
advance 1d
crash after reclaim.after_claim
show photos
  bucket live
  a purging 65536 delete
  b purging 3 delete
restore photos/a refused Unknown
check

# The dead one's claim holds for a minute.
reclaim
disk holds 2
advance 60s
reclaim
show photos
  bucket live
  a purged delete
  b purged delete
disk empty

put photos/c 64KiB
delete photos/c
advance 1d
crash after reclaim.after_destroy
show photos
  bucket live
  a purged delete
  b purged delete
  c purging 65536 delete
disk empty
check
advance 60s
reclaim
show photos
  bucket live
  a purged delete
  b purged delete
  c purged delete

put photos/d 3MiB
put photos/d "two"
advance 1d
crash after reclaim.before_finish
get photos/d "two"
advance 60s
reclaim
put photos/e 64KiB
delete photos/e
advance 1d
crash after reclaim.after_finish
show photos
  bucket live
  a purged delete
  b purged delete
  c purged delete
  d purged overwrite
  d live 3
  e purged delete
reclaim
disk holds 1
usage photos purged 5 0
check

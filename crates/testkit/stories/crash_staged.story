# An upload that nobody ends, and a health processor that dies while it takes it back.
bucket photos
put photos/z "kept"
abandon upload photos/a 64KiB
advance 23h
reclaim
show photos
  bucket live
  a staged
  z live 4
disk holds 2
advance 1h
crash after staged.before_claim
show photos
  bucket live
  a staged
  z live 4
crash after staged.after_claim
show photos
  bucket live
  a purging 0 abandoned
  z live 4
disk holds 2
check
advance 60s
reclaim
show photos
  bucket live
  a purged abandoned
  z live 4
disk holds 1

abandon upload photos/b 3MiB
advance 1d
crash after staged.after_destroy
disk holds 1
advance 60s
reclaim
abandon upload photos/c 64KiB
advance 1d
crash after staged.before_finish
advance 60s
reclaim
abandon upload photos/d 64KiB
advance 1d
crash after staged.after_finish
show photos
  bucket live
  a purged abandoned
  b purged abandoned
  c purged abandoned
  d purged abandoned
  z live 4
disk holds 1
get photos/z "kept"
check

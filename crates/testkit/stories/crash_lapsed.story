# Whoever takes over a dead one's claim may die as well, and so may the next.
bucket photos
put photos/a 64KiB
delete photos/a
put photos/b "kept"
advance 1d
crash after reclaim.after_claim
advance 60s
crash after lapsed.before_claim
crash after lapsed.after_claim
show photos
  bucket live
  a purging 65536 delete
  b live 4
reclaim
disk holds 2
advance 60s
crash after lapsed.after_destroy
disk holds 1
advance 60s
crash after lapsed.before_finish
advance 60s
crash after lapsed.after_finish
show photos
  bucket live
  a purged delete
  b live 4
get photos/b "kept"
check

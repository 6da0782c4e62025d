# The process dies while it sweeps what has expired: absent before and after.
bucket photos
put photos/a "one" expires 1d
put photos/b "kept"
advance 1d
crash after expire.before
get photos/a missing
show photos
  bucket live
  a live 3
  b live 4
crash after expire.after
get photos/a missing
show photos
  bucket live
  a removed 3 lifepoint
  b live 4
advance 1d
reclaim
show photos
  bucket live
  a purged lifepoint
  b live 4
get photos/b "kept"
check

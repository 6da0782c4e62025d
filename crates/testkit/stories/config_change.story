# A change of the configured grace moves no promise that was given before.
bucket photos
put photos/a "one"
put photos/b "two"
bucket old
put old/a 64KiB
delete photos/a
delete bucket old
grace objects 1h
grace containers 1h
advance 2h
reclaim
show photos
  bucket live
  a removed 3 delete
  b live 3
show old
  bucket removed
  a live 65536

# What is deleted now has the new one.
delete photos/b
advance 1h
reclaim
show photos
  bucket live
  a removed 3 delete
  b purged delete
grace objects 30d
grace containers 30d
advance 21h
reclaim
show photos
  bucket live
  a purged delete
  b purged delete
show old
  bucket removed
  a live 65536
advance 6d
reclaim
advance 30s
reclaim
show old
  bucket purged
  a purged cascade
disk empty
check

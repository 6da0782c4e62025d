# Emptying takes everything out at once, and it comes back at once: into its bucket, or as another.
bucket photos
put photos/a "one"
put photos/b 64KiB
put photos/b "two"
empty bucket photos
get photos/a missing
show photos
  bucket live
usage photos removed 3 65542
put photos/c "new"
restore contents photos refused NotEmpty
restore contents photos as old
get old/a "one"
get old/b "two"
get photos/c "new"
check

# Into itself, while nothing live is there; what was removed in between stays restorable apart.
advance 1h
empty bucket old
put old/d "late"
delete old/d
restore contents old
get old/a "one"
show old
  bucket live
  a live 3
  b removed 65536 overwrite
  b live 3

# After its grace it is gone, and the bucket stays.
advance 1h
empty bucket old
put old/e "kept"
advance 1d
reclaim
advance 30s
reclaim
restore contents old refused Purged
get old/e "kept"
disk holds 2
delete bucket photos
delete bucket old
advance 7d
reclaim
advance 30s
reclaim
disk empty
check

# A wall clock that runs ahead of the time that passed halts purging until somebody has looked.
bucket photos
put photos/a "one"
delete photos/a
put photos/b "kept"
bucket old
put old/a 64KiB
delete bucket old
reclaim
clock ahead 30d
reclaim
halted
show photos
  bucket live
  a removed 3 delete
  b live 4
restart
reclaim
halted
show old
  bucket removed
  a live 65536
disk holds 3

# Deleting and restoring go on.
delete photos/b
restore photos/b
restore bucket old
get old/a 64KiB
delete bucket old

# The clock is set right, and an operator says so.
clock back 30d
resume
reclaim
show photos
  bucket live
  a removed 3 delete
  b live 4
advance 1d
reclaim
show photos
  bucket live
  a purged delete
  b live 4
show old
  bucket removed
  a live 65536
check

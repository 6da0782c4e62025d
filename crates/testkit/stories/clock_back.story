# A clock that goes backwards makes a grace longer, never shorter.
bucket photos
put photos/a "one"
delete photos/a
put photos/b "one"
delete photos/b
reclaim
clock back 2d
reclaim
advance 1d
reclaim
show photos
  bucket live
  a removed 3 delete
  b removed 3 delete

# What was deleted last comes back first, whatever the clock said.
put photos/b "second"
delete photos/b
restore photos/b
get photos/b "second"
restart
advance 47h
reclaim
show photos
  bucket live
  a removed 3 delete
  b removed 3 delete
  b live 6
advance 1h
reclaim
show photos
  bucket live
  a purged delete
  b purged delete
  b live 6

# A guard and an expiry are dates; they are met when the clock says so.
put photos/c "three" guarded 1d
put photos/d "four" expires 1d
clock back 2d
delete photos/c refused NotDeletable
get photos/d "four"
advance 71h
delete photos/c refused NotDeletable
get photos/d "four"
advance 1h
delete photos/c
get photos/d missing
check

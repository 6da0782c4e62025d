# A lifepoint that forbids deleting holds against every way of it, and ends in the second it names.
bucket photos
put photos/a "one" guarded 2d
put photos/b "two"
delete photos/a refused NotDeletable
put photos/a "other" refused NotDeletable
advance 47h
delete photos/a refused NotDeletable
reclaim
get photos/a "one"
advance 1h
delete photos/a
get photos/a missing
restore photos/a
get photos/a "one"
delete photos/a
advance 1d
reclaim
show photos
  bucket live
  a purged delete
  b live 3
check

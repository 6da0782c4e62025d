# A name is used again and again; what it meant before is kept apart, and each can come back.
bucket photos
put photos/a "one"
delete photos/a
put photos/a "two"
delete photos/a
put photos/a "three"
restore photos/a refused NameInUse
delete photos/a
show photos
  bucket live
  a removed 3 delete
  a removed 3 delete
  a removed 5 delete

# The one that went last comes back first.
restore photos/a
get photos/a "three"
restore photos/a as b
get photos/b "two"
restore photos/a as c
get photos/c "one"
restore photos/a refused Unknown
check

# A bucket's name likewise.
delete bucket photos
bucket photos
get photos/a missing
put photos/a "new"
advance 1h
delete bucket photos
bucket photos
restore bucket photos refused NameInUse
restore bucket photos as second
get second/a "new"
restore bucket photos as first
get first/a "three"
get first/b "two"
get photos/a missing
show photos
  bucket live
advance 8d
reclaim
get first/c "one"
get second/a "new"
disk holds 4
check

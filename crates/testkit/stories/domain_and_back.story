# A domain goes with everything in it, and comes back as it was.
domain d.example
bucket photos
put photos/a "one"
put photos/b 64KiB
delete photos/b
bucket old
put old/a "two"
delete bucket old
show domain d.example
  domain live
  old removed
  photos live
advance 1h

delete domain d.example
get photos/a missing
put photos/c "late" refused RequiresContext2
bucket new refused RequiresContext2
delete bucket photos refused NotFound
delete domain d.example refused NotFound
usage photos removed 2 65539
restore photos/b refused ContainerGone

# Its promises are kept as they were given, and no timer acts inside.
advance 6d
reclaim
show photos
  bucket live
  a live 3
  b removed 65536 delete
restore domain d.example
get photos/a "one"
get photos/b missing
show domain d.example
  domain live
  old removed
  photos live

# The name is used again meanwhile.
delete domain d.example
domain d.example
get photos/a missing
restore domain d.example refused NameInUse
restore domain d.example as e.example
in domain e.example
get photos/a "one"

# What is due is purged from the top down.
delete domain e.example
restore domain e.example
delete domain e.example
advance 7d
reclaim
advance 30s
reclaim
show domain e.example
  domain purged
  old purged
  photos purged
disk empty
restore domain e.example refused ContextPurged
in domain d.example
show domain d.example
  domain live
check
